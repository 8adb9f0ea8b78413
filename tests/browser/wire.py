"""The two wires of a story: the provider that says exactly what a test dictates, and the network that a test can cut."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 11\r\nConnection: close\r\n\r\nBad gateway"


class Provider:
    """An OpenAI-compatible server. It says `deltas` and ends; where it `pauses`, only once `go_on` is set or nobody listens any more."""

    def __init__(self) -> None:
        self.deltas: list[str] = []
        self.pauses = False
        self.go_on, self.hung_up = asyncio.Event(), asyncio.Event()
        self.url = ""

    def say(self, *deltas: str, pauses: bool = False) -> None:
        self.deltas, self.pauses = list(deltas), pauses
        self.go_on.clear()
        self.hung_up.clear()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
            await reader.readexactly(length)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
            for delta in self.deltas:
                writer.write(b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": delta}}]}).encode() + b"\n\n")
                await writer.drain()
            if not self.pauses or await self._is_to_go_on(reader):
                writer.write(b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n')
        writer.close()

    async def _is_to_go_on(self, reader: asyncio.StreamReader) -> bool:
        told, left = asyncio.ensure_future(self.go_on.wait()), asyncio.ensure_future(reader.read())
        await asyncio.wait({told, left}, return_when=asyncio.FIRST_COMPLETED)
        if left.done():
            self.hung_up.set()
        for waiting in (told, left):
            waiting.cancel()
        return not left.done()


class Network:
    """What lies between browser and site. `cut()` drops every connection, `spoil()` answers 502, `mend()` ends both."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = ""
        self.state = "whole"
        self.refused = asyncio.Event()  # set when somebody has knocked in vain since the last change
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        self._change("cut")

    def spoil(self) -> None:
        self._change("spoilt")

    def mend(self) -> None:
        self._change("whole")

    def _change(self, state: str) -> None:
        self.state = state
        self.refused.clear()
        if state != "whole":
            for writer in list(self._writers):
                writer.transport.abort()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.state != "whole":
            await self._refuse(reader, writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        self._writers -= {writer, far_writer}

    async def _refuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.state == "spoilt":
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(BAD_GATEWAY)
                await writer.drain()
                writer.close()
        else:
            writer.transport.abort()
        self.refused.set()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with suppress(ConnectionError, RuntimeError):
        writer.close()


@asynccontextmanager
async def listening[T: (Provider, Network)](end: T, path: str = "") -> AsyncIterator[T]:
    """The wire, open at `end.url` on a free port of the loopback."""
    server = await asyncio.start_server(end.answer, "127.0.0.1", 0)
    end.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{path}"
    try:
        yield end
    finally:
        server.close()

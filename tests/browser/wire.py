"""The two wires of a story: the provider that says exactly what a test dictates, and the network that a test can cut."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

type Delta = str | dict[str, str]  # text, or the fields of a delta

LIMIT = 30.0  # seconds a story waits for what must happen on a wire; never a measure of speed
BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 11\r\nConnection: close\r\n\r\nBad gateway"


class Dictation:
    """One answer in the hand of a test. It says `deltas` and ends; where it `pauses`, only once it is ended or nobody listens any more."""

    def __init__(self, deltas: Iterable[Delta] = (), pauses: bool = False) -> None:
        self.deltas, self.pauses = list(deltas), pauses
        self.hung_up = asyncio.Event()
        self._news = asyncio.Event()

    def add(self, *deltas: Delta) -> None:
        self.deltas += deltas
        self._news.set()

    def end(self) -> None:
        self.pauses = False
        self._news.set()

    async def tell(self, writer: asyncio.StreamWriter, left: asyncio.Future[bytes]) -> None:
        """Write what there is to say as it comes, and the end, unless the client has left before."""
        told = 0
        while not left.done():
            self._news.clear()
            for delta in self.deltas[told:]:
                writer.write(chunk(delta))
                told += 1
            await writer.drain()
            if told == len(self.deltas) and not self.pauses:
                writer.write(b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n')
                return
            await self._news_or(left)
        self.hung_up.set()

    async def _news_or(self, left: asyncio.Future[bytes]) -> None:
        news = asyncio.ensure_future(self._news.wait())
        await asyncio.wait({news, left}, return_when=asyncio.FIRST_COMPLETED)
        news.cancel()


class Provider:
    """An OpenAI-compatible server that says to each request what was dictated last."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: dict[str, Any] = {}  # the body of the last request
        self._dictation = Dictation()

    def say(self, *deltas: Delta, pauses: bool = False) -> None:
        """Dictate the next answer. One that still pauses ends."""
        self._dictation.end()
        self._dictation = Dictation(deltas, pauses)

    def add(self, *deltas: Delta) -> None:
        """Say more, in an answer that pauses."""
        self._dictation.add(*deltas)

    def end(self) -> None:
        """End an answer that pauses."""
        self._dictation.end()

    async def is_hung_up_on(self) -> None:
        """Wait until the client has left an answer that pauses."""
        await happens(self._dictation.hung_up)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
            body = await reader.readexactly(length)
            self.asked = json.loads(body) if body else {}
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
            left = asyncio.ensure_future(reader.read())
            await self._dictation.tell(writer, left)
            left.cancel()
        writer.close()


def chunk(delta: Delta) -> bytes:
    content = {"content": delta} if isinstance(delta, str) else delta
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": content}]}).encode() + b"\n\n"


class Network:
    """What lies between browser and site. `cut()` drops every connection, `spoil()` answers 502, `mend()` ends both."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = ""
        self.state = "whole"
        self._refused = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        self._change("cut")

    def spoil(self) -> None:
        self._change("spoilt")

    def mend(self) -> None:
        self._change("whole")

    async def refuses(self) -> None:
        """Wait until somebody has knocked in vain since the last change."""
        await happens(self._refused)

    def _change(self, state: str) -> None:
        self.state = state
        self._refused.clear()
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
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(BAD_GATEWAY)
                await writer.drain()
                writer.close()
                if b"upgrade: websocket" in head.lower():
                    return  # the stories are about pages and streams
        else:
            writer.transport.abort()
        self._refused.set()


async def happens(event: asyncio.Event) -> None:
    async with asyncio.timeout(LIMIT):
        await event.wait()


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

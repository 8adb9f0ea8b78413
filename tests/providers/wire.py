"""A provider's wire, faked byte for byte: a raw TCP server on loopback that answers one way and sees when the client goes."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from conversations.events import Event, EventKind
from conversations.providers.base import ChatMessage, ChatRequest, Endpoint, Stream
from conversations.providers.connection import ConnectedAdapter
from conversations.providers.registry import new_adapter

RECORDED = Path(__file__).parent / "recorded"
STREAMS = RECORDED / "openai_chat"
SOON = 5.0  # seconds: the limit of every wait for an event
REQUEST_IDS = "x-request-id: req-1\r\nrequest-id: req-1\r\n"  # OpenAI's name for it, and Anthropic's


def recorded(name: str, protocol: str = "openai_chat") -> bytes:
    return (RECORDED / protocol / name).read_bytes()


def ask(prompt: str = "Hi", **fields: Any) -> ChatRequest:
    return ChatRequest(**{"model_id": "model", "messages": [ChatMessage("user", prompt)]} | fields)


class Wire:
    """What the server was asked, and what became of the connection. `serve` says how it answers."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.connections = 0
        self.asked, self.told, self.hung_up = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @property
    def body(self) -> dict[str, Any]:
        body = json.loads(self.requests[-1].partition("\r\n\r\n")[2])
        assert isinstance(body, dict)
        return body

    @property
    def head(self) -> str:
        return self.requests[-1].partition("\r\n\r\n")[0].lower()


class Line:
    """The server's side of one connection."""

    def __init__(self, wire: Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.wire, self.reader, self.writer = wire, reader, writer

    async def receive(self) -> None:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        self.wire.requests.append((head + await self.reader.readexactly(length)).decode())
        self.wire.asked.set()

    async def head(self, kind: str = "text/event-stream", status: int = 200, headers: str = "") -> None:
        lines = f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\n{REQUEST_IDS}{headers}Transfer-Encoding: chunked\r\n\r\n"
        self.writer.write(lines.encode())
        await self.writer.drain()

    async def tell(self, *pieces: bytes) -> None:
        """Write each piece as one HTTP chunk of its own."""
        for piece in pieces:
            self.writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await self.writer.drain()
        self.wire.told.set()

    async def end(self) -> None:
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    async def cut(self) -> None:
        """Close the connection without the end of the body."""
        self.writer.close()

    async def silence(self, every: float = 60, ping: bytes = b": ping\n\n") -> None:
        """Say nothing, or a ping `every` so many seconds, until the client hangs up."""
        while not self.wire.hung_up.is_set():
            try:
                async with asyncio.timeout(every):
                    if not await self.reader.read(1024):
                        self.wire.hung_up.set()
            except TimeoutError:
                await self.tell(ping)
            except ConnectionError:
                self.wire.hung_up.set()


type Answer = Callable[[Line], Awaitable[None]]


def whole(body: bytes, kind: str = "text/event-stream", status: int = 200, headers: str = "", pieces: int = 1) -> Answer:
    """An answer that is sent to its end, in `pieces` HTTP chunks."""

    async def answer(line: Line) -> None:
        await line.head(kind, status, headers)
        size = -(-len(body) // pieces) or 1
        await line.tell(*(body[start : start + size] for start in range(0, len(body), size)))
        await line.end()

    return answer


@asynccontextmanager
async def serve(answer: Answer, protocol: str = "openai_chat", **endpoint: Any) -> AsyncIterator[tuple[Wire, ConnectedAdapter]]:
    """A server that answers every request with `answer`, and an adapter that points at it."""
    wire, lines = Wire(), set[asyncio.Task[None]]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire.connections += 1
        lines.add(asyncio.current_task())  # type: ignore[arg-type]
        line = Line(wire, reader, writer)
        try:
            while not writer.is_closing():
                await line.receive()
                await answer(line)
        except (asyncio.IncompleteReadError, ConnectionError):
            wire.hung_up.set()
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    adapter = new_adapter(Endpoint(**{"protocol": protocol, "base_url": f"http://127.0.0.1:{port}/v1"} | endpoint))
    assert isinstance(adapter, ConnectedAdapter)
    try:
        yield wire, adapter
    finally:
        await adapter.aclose()
        server.close()
        async with asyncio.timeout(SOON):
            await asyncio.gather(*lines)


async def read(stream: Stream, into: list[Event] | None = None) -> list[Event]:
    """Read a stream to its end, within a limit; what came is `into` even if it fails."""
    events: list[Event] = [] if into is None else into
    async with asyncio.timeout(SOON), aclosing(stream):
        async for batch in stream:
            assert batch, "an empty batch wakes the reader for nothing"
            events += batch
    return events


def text_of(events: list[Event], kind: EventKind = EventKind.TEXT_DELTA) -> str:
    return "".join(event.data for event in events if event.kind is kind)

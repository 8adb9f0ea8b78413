"""One process of the site as one person uses it, and the fake provider as one asks it what it saw."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp

from .person import Person, microseconds, open_page, post, send, web
from .servers import Server

PIECE_SECONDS = 60  # that may pass before the next piece of a stream, or a moment, comes


class Node:
    def __init__(self, server: Server, http: aiohttp.ClientSession, person: Person) -> None:
        self.server, self._http, self._person = server, http, person
        self.conversation: int | None = None  # of the latest turn

    async def ask(self, model_id: str) -> int:
        """Begin a turn where the person is, or a conversation; return the key of the answer."""
        told = await send(self._http, self._person, self.server.models[model_id])
        self.conversation = int(told["conversation"])
        return int(told["answer"])

    def go_to(self, conversation: int | None) -> None:
        """Have the next prompt go into this conversation; None: into a new one."""
        self._person.conversation = conversation

    async def retry(self, answer: int) -> int:
        """Have the same prompt answered again; return the key of the other answer."""
        return int((await post(self._http, self._person, f"/messages/{answer}/retry"))["answer"])

    async def load(self) -> None:
        """Load the page of the conversation the person is in, or the start page."""
        await open_page(self._http, self._person)

    async def stop(self, answer: int) -> None:
        await post(self._http, self._person, f"/messages/{answer}/stop")

    async def follow(self, answer: int, last_event_id: str = "") -> AsyncGenerator[tuple[int, bytes]]:
        """Yield the stream of an answer as it comes, each piece with its moment; leaving closes the connection."""
        place = {"Last-Event-ID": last_event_id} if last_event_id else {}
        headers = self._person.headers | {"Accept": "text/html,text/event-stream"} | place
        timeout = aiohttp.ClientTimeout(total=None, sock_read=PIECE_SECONDS)
        async with self._http.get(f"/messages/{answer}/events", headers=headers, timeout=timeout) as response:
            if response.status != 200:
                raise RuntimeError(f"the stream answers {response.status}")
            async for piece in response.content.iter_any():
                yield microseconds(), piece


@asynccontextmanager
async def reached(*servers: Server) -> AsyncIterator[list[Node]]:
    """The processes, all used by the same person."""
    async with AsyncExitStack() as stack:
        nodes = []
        for server in servers:
            http, person = await stack.enter_async_context(web(server.base_url)), Person(0, server.sessions[0])
            await open_page(http, person)
            nodes.append(Node(server, http, person))
        yield nodes


class Provider:
    """What the fake provider tells of its streams, which it numbers."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def started(self) -> int:
        """Return the number of the latest stream."""
        return int(await self._ask("/v1/stats", "started"))

    async def moment(self, number: int, what: str) -> int:
        """Wait until the stream has "begun" or been "closed" by the site; return when it was, in microseconds."""
        return int(await self._ask(f"/v1/streams/{number}/{what}", "at"))

    async def _ask(self, path: str, name: str) -> int:
        async with self._http.get(path, timeout=aiohttp.ClientTimeout(total=PIECE_SECONDS)) as response:
            return int((await response.json())[name])


@asynccontextmanager
async def asked(provider_url: str) -> AsyncIterator[Provider]:
    async with web(provider_url.removesuffix("/v1")) as http:
        yield Provider(http)

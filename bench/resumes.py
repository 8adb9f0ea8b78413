"""How long it takes a page that lost its stream in mid-answer to show text again: from the GET to the first frame with a token."""

import asyncio
import re
from contextlib import aclosing

from .latency import Latency, tried
from .node import Node, reached
from .person import microseconds
from .reading import TOKEN
from .servers import Server

LONG = "fake:rate=30,tokens=6000,ttft=0.2"  # outlasts all tries, and is stopped then
EVENT_ID = re.compile(rb"^id: (\S+)\r?$", re.MULTILINE)
APART_SECONDS = 0.1  # so that tries fall on all moments between two commits


def measure(servers: list[Server], tries: int) -> list[Latency]:
    """The first of the servers runs the answer; it is opened there, then at the other one, if there is one."""
    return asyncio.run(_measure(servers, tries))


async def _measure(servers: list[Server], tries: int) -> list[Latency]:
    async with reached(*servers) as nodes:
        return [await measure_at(nodes[0], node, place, tries) for place, node in zip(("owner", "another process"), nodes, strict=False)]


async def measure_at(owner: Node, node: Node, place: str, tries: int) -> Latency:
    answer = await owner.ask(LONG)
    try:
        page = Page(node, answer)
        await page.read_a_paragraph()
        return await tried("resume, ms", place, tries, page.resume)
    finally:
        await owner.stop(answer)


class Page:
    """A page that is at a place of an answer."""

    def __init__(self, node: Node, answer: int) -> None:
        self._node, self._answer, self._place = node, answer, ""

    async def read_a_paragraph(self) -> None:
        """Read until there is a place to go on from: a frame that closed a block with text in it."""
        async with aclosing(self._node.follow(self._answer)) as stream:
            seen = b""
            async for _, piece in stream:
                seen += piece
                if places := [found for found in EVENT_ID.findall(seen) if found != b"0.0"]:
                    self._place = places[-1].decode()
                    return
        raise RuntimeError("the answer ended before its first paragraph")

    async def resume(self) -> float:
        """Connect again, read to the first token and hang up; return milliseconds."""
        await asyncio.sleep(APART_SECONDS)
        began, seen = microseconds(), b""
        async with aclosing(self._node.follow(self._answer, self._place)) as stream:
            async for moment, piece in stream:
                seen += piece
                if places := EVENT_ID.findall(seen):
                    self._place = places[-1].decode()
                if TOKEN.search(seen):
                    return (moment - began) / 1000
        raise RuntimeError("the answer ended")

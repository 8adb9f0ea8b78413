"""A person with 10,000 conversations and 100,000 messages, 5,000 of them in one: what they wait for, and whether their page stays smooth.

Each time is the whole reply on the loopback: server time, and a fraction of a millisecond of sockets. Nothing else asks meanwhile. What a
reply took of the processors is there as well: where other programs keep them busy, it says more than the time.
"""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import unescape
from urllib.parse import quote

import aiohttp

from . import long_tasks, services
from .latency import HEAD, Latency, tried
from .meter import cpu_seconds
from .person import microseconds
from .processes import python
from .report import columns
from .servers import Server
from .site import NAMES, Site
from .stage import Stage

KINDS = ("site", "postgresql")
AIM_MS = 100
PASSAGE = 40  # messages that a page shows at once
SEARCHES = {
    "a common word": "the",
    "a rare word": "quetzalcoatlus",
    "the beginning of a word": "ka",
    "two words": "water people",
    "a phrase": '"of the"',
    "a phrase of common words that is not there": '"the of the of the"',
    "a word without another": "water -people",
    "accents": "zurich",
    "two characters": "手机",
    "one character": "雨",
    "four characters": "机器学习",
    "nothing": "absentword",
}
OLDER = re.compile(r'"(/sidebar\?[^"]*older=[^"]+)"')


@dataclass(frozen=True, slots=True)
class Large:
    """The person, and what of theirs is asked for."""

    session: str
    longest: int
    messages: list[int]

    @property
    def address(self) -> str:
        return f"/conversations/{self.longest}"


@dataclass(slots=True)
class Replies:
    """So many replies to one address, and what each took of the processors, in milliseconds."""

    waited: Latency
    cpu_ms: float | None = None

    @property
    def failures(self) -> list[str]:
        return self.waited.failures

    def row(self) -> tuple[str, ...]:
        *before, aim, met, failed = self.waited.row()
        return (*before, "" if self.cpu_ms is None else f"{self.cpu_ms:.0f}", aim, met, failed)


def table(found: Sequence[Replies]) -> str:
    *before, aim, met, failed = HEAD
    return columns([(*before, "CPU", aim, met, failed), *(replies.row() for replies in found)])


def measure(stage: Stage, kinds: Sequence[str], tries: int) -> Iterator[Replies]:
    for kind in kinds:
        site = stage.site(kind)
        large = Large(**json.loads(python(site.environment, "-m", "bench.large_person")))
        for replies in of_site(site, large, tries):
            replies.waited.server = NAMES[kind]
            print(table([replies]).splitlines()[1], *replies.failures[:3], sep="\n  ", file=sys.stderr, flush=True)
            yield replies


def of_site(site: Site, large: Large, tries: int) -> Iterator[Replies]:
    with site.run() as server:
        yield from asyncio.run(Visit(site, server, large, tries).pages())
        if latency := long_tasks.measure(server, large.session, large.address):
            yield Replies(latency)


class Visit:
    """One person, who asks for one page after the other."""

    def __init__(self, site: Site, server: Server, large: Large, tries: int) -> None:
        self._site, self._server, self._large, self._tries = site, server, large, tries

    async def pages(self) -> list[Replies]:
        cookies = {"sessionid": self._large.session}
        async with aiohttp.ClientSession(self._server.base_url, cookies=cookies) as http:
            return [replies async for replies in self._pages(http)]

    async def _pages(self, http: aiohttp.ClientSession) -> AsyncIterator[Replies]:
        page, large, tries = partial(get, http), self._large, self._tries
        yield await self._asked("a new chat, ms", "page", tries, partial(page, "/"))
        yield await self._asked("the longest conversation, ms", "page", tries, partial(page, large.address))
        places = range(len(large.messages) - PASSAGE, 0, -PASSAGE)
        earlier = [f"{large.address}?before={large.messages[place]}" for place in places][:tries]
        for at in ("never shown before", "shown before"):
            addresses = iter(earlier)
            yield await self._asked("earlier messages, ms", at, len(earlier), lambda: page(next(addresses), htmx=True))  # noqa: B023
        yield await self._asked("a message of long ago, ms", "page", tries, partial(page, f"{large.address}?message={large.messages[100]}"))
        yield await self._asked("sidebar, ms", "newest", tries, partial(page, "/sidebar", htmx=True))
        yield await self._asked("sidebar, ms", "the next page", tries, partial(page, await older(http), htmx=True))
        for name, words in SEARCHES.items():
            yield await self._asked("search, ms", name, tries, partial(page, f"/search?q={quote(words)}", htmx=True))

    async def _asked(self, what: str, at: str, tries: int, attempt: Callable[[], Awaitable[float]]) -> Replies:
        before = self._cpu()
        waited = await tried(what, at, tries, attempt, AIM_MS)
        after = self._cpu()
        return Replies(waited, 1000 * sum(after[pid] - before.get(pid, 0) for pid in after) / tries)

    def _cpu(self) -> dict[int, float]:
        """What the site and its connections to PostgreSQL have taken so far, by process."""
        pids = [self._server.pid, *(services.backends(self._site.database_url) if self._site.database_url else [])]
        return {pid: cpu_seconds(pid) for pid in pids}


async def older(http: aiohttp.ClientSession) -> str:
    """The address of the sidebar's second page."""
    async with http.get("/sidebar", headers={"HX-Request": "true"}) as response:
        found = OLDER.search(await response.text())
    if not found:
        raise RuntimeError("the sidebar of 10,000 conversations has no second page")
    return unescape(found[1])


async def get(http: aiohttp.ClientSession, path: str, *, htmx: bool = False) -> float:
    """Fetch a page, return milliseconds."""
    began = microseconds()
    async with http.get(path, headers={"HX-Request": "true"} if htmx else {}) as response:
        await response.read()
        if response.status != 200 or response.url.path != path.partition("?")[0]:
            raise RuntimeError(f"GET {path} answers {response.status} at {response.url.path}")
    return (microseconds() - began) / 1000

"""People who do for a while what people do: read, stop, retry, reload, fall asleep over an answer, and meet a provider that fails."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from random import Random

from .latency import FAULTS
from .node import Node

SHORT = "fake:rate=100,tokens=150,ttft=0.1"
LONG = "fake:rate=50,tokens=1000,ttft=0.2"
SILENT = "fake:silent=1"
FAILING = ("fake:error=500", "fake:cut=40", "fake:html=1", "fake:stall=0,done=0,usage=0,tokens=40")
MODELS = (SHORT, LONG, SILENT, *FAILING)
HABIT_SECONDS = 120  # no visit takes longer; one that does has failed


class Visitor:
    """One of them; `random` makes the same choices in each run."""

    def __init__(self, node: Node, random: Random) -> None:
        self._node, self._random = node, random
        self.visits: Counter[str] = Counter()
        self.failures: list[str] = []
        self._habits: tuple[Callable[[], Awaitable[None]], ...] = (
            *(self._read, self._read, self._stop, self._stop_silence, self._retry, self._reload, self._fall_asleep, self._meet_failure),
        )

    async def arrive(self) -> None:
        await self._node.load()

    async def stay(self, is_over: asyncio.Event) -> None:
        while not is_over.is_set():
            habit = self._random.choice(self._habits)
            name = habit.__name__.strip("_")
            try:
                async with asyncio.timeout(HABIT_SECONDS):
                    await habit()
            except FAULTS as error:
                self.failures.append(f"{name}: {type(error).__name__}: {error}")
                self._node.go_to(None)
                await asyncio.sleep(1)
            self.visits[name] += 1

    async def _read(self) -> None:
        await self._follow(await self._node.ask(SHORT))
        self._stay_or_leave()

    async def _stop(self) -> None:
        answer = await self._node.ask(LONG)
        await self._watch(answer)
        await self._node.stop(answer)
        await self._follow(answer)
        self._stay_or_leave()

    async def _stop_silence(self) -> None:
        answer = await self._node.ask(SILENT)
        await self._watch(answer)
        await self._node.stop(answer)
        await self._follow(answer)

    async def _retry(self) -> None:
        answer = await self._node.ask(SHORT)
        await self._follow(answer)
        await self._follow(await self._node.retry(answer))

    async def _reload(self) -> None:
        answer = await self._node.ask(SHORT)
        await self._watch(answer)
        self._node.go_to(self._node.conversation)
        await self._node.load()
        await self._follow(answer)

    async def _fall_asleep(self) -> None:
        """Stop reading without a word, hold the connection for a while, drop it, and never come back to this answer."""
        async with aclosing(self._node.follow(await self._node.ask(SHORT))) as stream:
            await anext(stream)
            await asyncio.sleep(self._random.uniform(1, 4))
        self._node.go_to(None)

    async def _meet_failure(self) -> None:
        await self._follow(await self._node.ask(self._random.choice(FAILING)))

    async def _follow(self, answer: int) -> None:
        async with aclosing(self._node.follow(answer)) as stream:
            async for _ in stream:
                pass

    async def _watch(self, answer: int) -> None:
        """Follow for a moment, then hang up in the middle."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._random.uniform(0.2, 1.2)):
                await self._follow(answer)

    def _stay_or_leave(self) -> None:
        self._node.go_to(self._node.conversation if self._random.random() < 0.7 else None)

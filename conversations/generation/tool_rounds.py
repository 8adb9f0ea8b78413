"""The tools of one run: what a model calls is journaled, run, and journaled again; what needs a person waits for one.

The journal is all that the next round is made from, so whoever owns the generation by then can go on. It never tells a provider anything.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from django.conf import settings

from chatsite import threads
from conversations.events import Event, EventKind, clean
from conversations.models.decisions import decisions_of
from conversations.providers.base import ToolCall
from conversations.tool_events import FAILED, ToolResult, ToolStart, open_calls, resulted, start_in, started
from conversations.tools.base import Caller
from conversations.tools.running import declined, result_of

from .history import Assignment

MOST_CALLS = 64  # in one answer
LONGEST_NAME = 200  # characters of the name, or the id, of a call
TOO_MANY = f"There may be no more than {MOST_CALLS} calls in one answer. Answer with what you have."
SIZE_OF_ID = 9  # letters and digits: all that Mistral takes

type Append = Callable[[list[Event]], Awaitable[None]]

decisions_in_thread = threads.in_thread(threads.generation, decisions_of)


class ToolRounds:
    """Counts the rounds of an answer, and runs the calls of each. `append` commits events; it is called by one at a time."""

    def __init__(self, assignment: Assignment, append: Append) -> None:
        self._generation, self._tools = assignment.generation, {tool.name: tool for tool in assignment.tools}
        self._append_alone, self._lock = append, asyncio.Lock()
        self.left = open_calls(assignment.begun)  # of an owner before this one: what waited for a person
        starts = [start_in(event) for event in assignment.begun if event.kind == EventKind.TOOL_START]
        own = [start_in(event) for event in assignment.begun[assignment.opening :] if event.kind == EventKind.TOOL_START]
        self._rounds = len({start.round for start in own})
        self._round = max((start.round for start in starts), default=0)
        self._number = max((start.call for start in starts), default=0)
        self._ids = {start.id for start in starts}
        self._running = self._waiting = 0
        self._news = asyncio.Event()

    @property
    def are_over(self) -> bool:
        """Whether the model has called tools as often as it may."""
        return self._rounds >= settings.TOOL_ROUNDS or self._number >= MOST_CALLS

    @property
    def wait_for_person(self) -> bool:
        return bool(self._waiting) and not self._running

    def hear(self) -> None:
        """A person may have said something of a call."""
        self._news.set()
        self._news = asyncio.Event()

    async def use(self, calls: Iterable[ToolCall]) -> None:
        """Run a round of calls at once, each to its result."""
        self._rounds, self._round = self._rounds + 1, self._round + 1
        starts = [self._start_of(call) for call in calls]
        await self._append(*map(started, starts))
        await self.finish(starts)

    async def finish(self, starts: Iterable[ToolStart]) -> None:
        async with asyncio.TaskGroup() as group:
            for start in starts:
                group.create_task(self._finish(start))

    def _start_of(self, call: ToolCall) -> ToolStart:
        """Number a call, and give it a name of our own where the provider gave none, or the same twice."""
        self._number += 1
        while not call.id or call.id in self._ids:
            call = ToolCall(secrets.token_hex(SIZE_OF_ID)[:SIZE_OF_ID], call.name, call.arguments)
        self._ids.add(call.id)
        tool = self._tools.get(call.name)
        return ToolStart(self._number, self._round, call.id, call.name, call.arguments, waits=bool(tool and tool.needs_approval))

    async def _finish(self, start: ToolStart) -> None:
        if start.waits:
            if not await self._is_approved(start):
                await self._append(resulted(declined(start.call)))
                return
            start.waits = False
            await self._append(started(start))
        await self._append(resulted(await self._run(start)))

    async def _is_approved(self, start: ToolStart) -> bool:
        """Wait, for as long as it takes, until a person has said it here or in any other process."""
        self._waiting += 1
        try:
            while True:
                news = self._news
                if (is_approved := (await decisions_in_thread(self._generation.pk)).get(start.call)) is not None:
                    return is_approved
                with suppress(TimeoutError):
                    async with asyncio.timeout(settings.HEARTBEAT_SECONDS):
                        await news.wait()
        finally:
            self._waiting -= 1

    async def _run(self, start: ToolStart) -> ToolResult:
        conversation = self._generation.message.conversation
        self._running += 1
        try:
            if start.call > MOST_CALLS:
                return ToolResult(start.call, FAILED, TOO_MANY, 0)
            return await result_of(start.call, self._tools.get(start.name), start.arguments, Caller(conversation.owner_id, conversation.pk))
        finally:
            self._running -= 1

    async def _append(self, *events: Event) -> None:
        async with self._lock:
            await self._append_alone(list(events))


def cleaned(call: ToolCall) -> ToolCall:
    """Return a call as the database can hold it."""
    return ToolCall(*(clean(text) for text in (call.id[:LONGEST_NAME], call.name[:LONGEST_NAME], call.arguments)))

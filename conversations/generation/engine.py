"""One run: the owner of a generation reads the provider and appends to the journal until the answer ends.

Nobody's request is involved: closing every tab changes nothing (law 3). A run ends by the provider's end or error,
by a stop, or when its process gives it up.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from itertools import count

from django.utils import timezone

from chatsite import threads
from conversations.events import Event, EventKind, clean, joined
from conversations.models import Generation, NothingLeft, Status
from conversations.providers.base import ToolCall
from conversations.providers.errors import ProviderError
from conversations.providers.registry import adapter_for
from conversations.tool_events import waits_for_person

from .allowance import CODE, SPENT, Allowance
from .ending import BROKEN, RESTARTED, STOPPED, Outcome, account_for_round, end, requeue
from .estimates import said_in
from .feed import Feed
from .history import Assignment
from .journal import Journal
from .next_rounds import begin_next_round
from .patience import insist
from .retries import begin_next_attempt, pause_before_next
from .tool_rounds import ToolRounds, cleaned

log = logging.getLogger(__name__)

requeue_in_thread = threads.in_thread(threads.generation, requeue)
begin_next_attempt_in_thread = threads.in_thread(threads.journal, begin_next_attempt)
account_for_round_in_thread = threads.in_thread(threads.journal, account_for_round)
begin_next_round_in_thread = threads.in_thread(threads.journal, begin_next_round)
end_in_thread = threads.in_thread(threads.journal, end)
TOO_MANY_ROUNDS = "The model called tools again and again. What there is of the answer is kept; try again, or ask for less at once."


class Run:
    """One attempt of one generation that this process has claimed."""

    def __init__(self, assignment: Assignment, feed: Feed, journal: Journal) -> None:
        self.assignment, self.generation = assignment, assignment.generation
        self.feed, self.journal = feed, journal
        self.outcome = Outcome(Status.COMPLETE, trimmed_turns=assignment.trimmed_turns, request=assignment.request)
        self.outcome.begun = len(assignment.begun)
        self._allowance = Allowance(self.generation.allowance)
        self.rounds = ToolRounds(assignment, self._append_tools)
        self.outcome.is_accounted = bool(self.rounds.left)  # nothing is asked before their results are there
        self._told: set[str] = set()  # the kinds of what was told in this round
        self._is_behind_tools = False
        self._reading: asyncio.Task[None] | None = None
        self._is_stopping = self._is_lost = self._is_ending = False
        self.has_ended = False  # by this run: nobody else ends it

    def stop(self) -> None:
        """Close the upstream call now, also while the provider is silent; the run ends as stopped."""
        self._is_stopping = True
        self._cancel_reading()

    def lose(self) -> None:
        """Somebody else holds the lease: write nothing more. A run that is ending has given its lease back itself."""
        if not self._is_ending:
            log.warning("Generation %s is owned by another process now.", self.generation.pk)
            self._is_lost = True
            self._cancel_reading()

    async def answer(self) -> None:
        """Run the attempt to its end. Cancelling this hands the generation over to another process."""
        self.feed.publish(self.assignment.begun)
        self.feed.begin()
        try:
            await self._read_to_the_end()
        except asyncio.CancelledError:
            await self._hand_over()
            raise
        except Exception:  # the outermost block: whatever a bug does, the answer ends and says so
            log.exception("Generation %s failed.", self.generation.pk)
            self.outcome.break_off(Status.FAILED, BROKEN, "internal_error")
        if not self._is_lost:
            await self._end()

    async def _read_to_the_end(self) -> None:
        self._reading = asyncio.create_task(self._read())
        if self._is_stopping or self._is_lost:
            self._cancel_reading()
        try:
            await asyncio.wait({self._reading})
        except asyncio.CancelledError:
            self._cancel_reading()
            await asyncio.wait({self._reading})
            raise
        self._judge(self._reading)

    def _judge(self, reading: asyncio.Task[None]) -> None:
        """Set the outcome by how the reading ended."""
        if reading.cancelled():
            self.outcome.break_off(Status.STOPPED, STOPPED)
        elif error := reading.exception():
            if not isinstance(error, ProviderError):
                raise error
            log.warning("Generation %s: %s: %s", self.generation.pk, error.code, error.detail)
            self.outcome.fail(error)
        else:
            self._allowance.say_so(self.outcome)

    async def _read(self) -> None:
        """Read the provider round by round, and run the tools it calls in between, until it calls none."""
        if left := self.rounds.left:
            await self.rounds.finish(left)
            if not await self._begin_round(is_asked=False):
                return
        while calls := await self._read_round():
            if self.rounds.are_over:
                self.outcome.break_off(Status.FAILED, TOO_MANY_ROUNDS, "too_many_rounds")
                return
            await self._account_for_round(calls)
            await self.rounds.use(calls)
            if not await self._begin_round(is_asked=True):
                return

    async def _begin_round(self, *, is_asked: bool) -> bool:
        """Begin what follows from the journal as it is now; False, and the outcome says so, where no budget pays for it."""
        request = self.assignment.request_after(self.feed.events)
        begin = partial(begin_next_round_in_thread, self.generation, request, is_asked=is_asked)
        try:
            if not await insist(begin, lambda: [self.feed], f"A round of generation {self.generation.pk} could not be begun"):
                await self._lose_now()
        except NothingLeft:
            self.outcome.break_off(Status.STOPPED, SPENT, CODE)
            return False
        request = self.assignment.request_after(self.feed.events)  # with what there is left for it
        self.outcome.request = replace(request, may_call_tools=not self.rounds.are_over)
        self.outcome.begun, self.outcome.is_accounted = self.feed.position, False
        self.outcome.begin_attempt()
        self._allowance = Allowance(self.generation.allowance)
        self._told, self._is_behind_tools = set(), True
        return True

    async def _account_for_round(self, calls: Sequence[ToolCall]) -> None:
        written = self.feed.events[self.outcome.begun :]
        text = joined(written, EventKind.TEXT_DELTA) + said_in(calls)
        account = partial(account_for_round_in_thread, text=text, reasoning=joined(written, EventKind.REASONING_DELTA))
        if not await self._insist(account):
            await self._lose_now()
        self.outcome.is_accounted = True

    async def _read_round(self) -> list[ToolCall]:
        """Read one round, and return what it calls; while nothing of it has been shown, an attempt that failed is followed by another."""
        for tries in count(1):
            try:
                return await self._read_once()
            except ProviderError as error:
                pause = None if self._told else pause_before_next(error, tries)
                if pause is None:
                    raise
                log.warning("Generation %s: %s: %s; trying again in %.1f s.", self.generation.pk, error.code, error.detail, pause)
                self.outcome.reached_model = error.reached_model
            await asyncio.sleep(pause)
            await self._begin_next_attempt()
        raise AssertionError

    async def _begin_next_attempt(self) -> None:
        if not await self._insist(begin_next_attempt_in_thread):
            await self._lose_now()
        self.outcome.begin_attempt()

    async def _lose_now(self) -> None:
        self.lose()
        await asyncio.sleep(0)  # to be cancelled

    async def _read_once(self) -> list[ToolCall]:
        assert self.outcome.request
        stream, calls = adapter_for(self.assignment.endpoint).stream(self.outcome.request), list[ToolCall]()
        try:
            async with aclosing(stream):
                async for events in stream:
                    calls += [ToolCall.told_in(event) for event in events if event.kind is EventKind.TOOL_START]
                    await self._append([event for event in events if event.kind is not EventKind.TOOL_START])
                    if self._allowance.is_spent_by(events):
                        return []
        finally:
            self.outcome.note(stream)
        return [cleaned(call) for call in calls] if self.outcome.request.tools else []

    async def _append(self, events: list[Event]) -> None:
        if kept := [Event(kind, self._apart(kind) + clean(data)) for kind, data in events if data]:
            self.outcome.first_token_at = self.outcome.first_token_at or timezone.now()
            await self.journal.append(self.feed, kept)

    def _apart(self, kind: EventKind) -> str:
        """Return what sets the first text, or reasoning, behind tools off from what there was before them."""
        is_first = kind not in self._told
        self._told.add(kind)
        return "\n\n" if is_first and self._is_behind_tools and any(event.kind == kind for event in self.feed.events) else ""

    async def _append_tools(self, events: list[Event]) -> None:
        self.outcome.first_token_at = self.outcome.first_token_at or timezone.now()
        await self.journal.append(self.feed, events)

    @property
    def _is_shown(self) -> bool:
        """Whether there is something that nobody may take back."""
        return bool(self.outcome.first_token_at or len(self.assignment.begun) > self.assignment.opening)

    async def _end(self) -> None:
        self._is_ending = True
        await self.journal.flush(self.feed)
        if await self._insist(end_in_thread):
            self.has_ended = True
            self.feed.end()  # else somebody else says how it ends, and is heard as from any other process

    async def _insist(self, write: Callable[[Generation, Outcome], Awaitable[bool]]) -> bool:
        complaint = f"What became of generation {self.generation.pk} could not be written"
        return await insist(lambda: write(self.generation, self.outcome), lambda: [self.feed], complaint)

    async def _hand_over(self) -> None:
        """Keep what has been shown as interrupted; queue again what has not begun, or only waits for a person."""
        await self.journal.flush(self.feed)
        if self._is_shown and not waits_for_person(self.feed.events):
            self.outcome.break_off(Status.INTERRUPTED, RESTARTED)
            await self._end()
        elif not self._is_lost:
            await requeue_in_thread(self.generation, self.outcome)

    def _cancel_reading(self) -> None:
        if self._reading:
            self._reading.cancel()

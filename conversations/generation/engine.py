"""One run: the owner of a generation reads the provider and appends to the journal until the answer ends.

Nobody's request is involved: closing every tab changes nothing (law 3). A run ends by the provider's end or error,
by a stop, or when its process gives it up.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from itertools import count

from django.utils import timezone

from chatsite import threads
from conversations.events import Event
from conversations.models import Generation, Status
from conversations.providers.errors import ProviderError
from conversations.providers.registry import adapter_for

from .allowance import Allowance
from .ending import BROKEN, RESTARTED, STOPPED, Outcome, end, requeue
from .feed import Feed
from .history import Assignment
from .journal import Journal
from .patience import insist
from .retries import begin_next_attempt, pause_before_next

log = logging.getLogger(__name__)

requeue_in_thread = threads.in_thread(threads.generation, requeue)
begin_next_attempt_in_thread = threads.in_thread(threads.journal, begin_next_attempt)
end_in_thread = threads.in_thread(threads.journal, end)


class Run:
    """One attempt of one generation that this process has claimed."""

    def __init__(self, assignment: Assignment, feed: Feed, journal: Journal) -> None:
        self.assignment, self.generation = assignment, assignment.generation
        self.feed, self.journal = feed, journal
        self.outcome = Outcome(Status.COMPLETE, trimmed_turns=assignment.trimmed_turns, request=assignment.request)
        self.outcome.begun = len(assignment.begun)
        self._allowance = Allowance(self.generation.allowance)
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
        """Read the provider to its end; while nothing has been shown, an attempt that failed is followed by another one."""
        for tries in count(1):
            try:
                await self._read_once()
                return
            except ProviderError as error:
                pause = None if self.outcome.first_token_at else pause_before_next(error, tries)
                if pause is None:
                    raise
                log.warning("Generation %s: %s: %s; trying again in %.1f s.", self.generation.pk, error.code, error.detail, pause)
                self.outcome.reached_model = error.reached_model
            await asyncio.sleep(pause)
            await self._begin_next_attempt()

    async def _begin_next_attempt(self) -> None:
        if not await self._insist(begin_next_attempt_in_thread):
            self.lose()
            await asyncio.sleep(0)  # to be cancelled
        self.outcome.reached_model, self.outcome.usage, self.outcome.request_id = True, None, ""

    async def _read_once(self) -> None:
        stream = adapter_for(self.assignment.endpoint).stream(self.assignment.request)
        try:
            async with aclosing(stream):
                async for events in stream:
                    await self._append(events)
                    if self._allowance.is_spent_by(events):
                        return
        finally:
            self.outcome.note(stream)

    async def _append(self, events: list[Event]) -> None:
        if kept := [Event(kind, clean(data)) for kind, data in events if data]:
            self.outcome.first_token_at = self.outcome.first_token_at or timezone.now()
            await self.journal.append(self.feed, kept)

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
        """Keep what has been shown as interrupted; queue again what has not begun."""
        if self.outcome.first_token_at:
            self.outcome.break_off(Status.INTERRUPTED, RESTARTED)
            await self._end()
        elif not self._is_lost:
            await requeue_in_thread(self.generation, self.outcome)

    def _cancel_reading(self) -> None:
        if self._reading:
            self._reading.cancel()


def clean(text: str) -> str:
    """Replace what a database or UTF-8 cannot hold: NUL and lone surrogates become U+FFFD."""
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "\ufffd") if "\0" in text else text

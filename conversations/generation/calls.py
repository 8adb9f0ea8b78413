"""Calls of programs: one upstream attempt that nobody keeps but the ledger, read as fast as the program takes what comes.

A call ends by the provider's end or error, by its program's leaving, or with its token or its process. The ledger has a row of each.
"""

import asyncio
import logging
from contextlib import aclosing

from django.db import Error
from django.utils import timezone

from chatsite import threads
from conversations.events import Event, EventKind, clean
from conversations.models import ApiCall, Status, TurnRefused, Usage
from conversations.providers.base import ChatRequest
from conversations.providers.errors import ProviderError
from conversations.providers.registry import adapter_for

from .allowance import Allowance
from .ending import BROKEN, Outcome
from .history import endpoint_of
from .orders import Opened, Order, begin, finish
from .patience import insist

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 15.0
MOST_WAITING = 65_536  # characters that the program has not taken yet; until it does, no more is read of the provider
STALLED_SECONDS = 60.0  # that a program may take nothing; a model that writes for nobody costs money

REVOKED = "The token of this call is not valid any more."
LEFT = "The program left."
STALLED = "The program has taken nothing for a minute, so the call was ended."
RESTARTED = "The server was restarted in the middle of this call. Ask again."
AWAY = "The database cannot be used just now. Ask again in a moment."


class Stalled(Exception):
    """The program takes nothing."""


class Call:
    """One call. `run()` is a task of the supervisor's; whoever writes to the program takes from it, and may stop it at any time."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.outcome = Outcome(Status.COMPLETE, request=order.request)
        self.refusal: TurnRefused | None = None  # nothing was sent upstream
        self.error: ProviderError | None = None
        self.usage: Usage | None = None  # the row of the ledger, once it is written
        self.has_ended = False
        self._written = {EventKind.TEXT_DELTA: list[str](), EventKind.REASONING_DELTA: list[str]()}
        self._waiting: list[Event] = []
        self._size = 0  # characters of what waits
        self._news, self._room = asyncio.Event(), asyncio.Event()
        self._allowance = Allowance(None)
        self._reading: asyncio.Task[None] | None = None
        self._is_stopping = False

    async def take(self) -> list[Event]:
        """Return what has come since the last time, as soon as there is some; nothing once the call has ended and is accounted for."""
        while not self._waiting and not self.has_ended:
            self._news.clear()
            await self._news.wait()
        taken, self._waiting, self._size = self._waiting, [], 0
        self._room.set()
        return taken

    def stop(self, sentence: str = LEFT, code: str = "stopped") -> None:
        """Close the upstream call now. A call that has ended stays as it is."""
        if self._is_stopping or self.has_ended:
            return
        self._is_stopping = True
        self.outcome.break_off(Status.STOPPED, sentence, code)
        if self._reading:
            self._reading.cancel()

    async def run(self) -> None:
        """Open the call, ask the model, and account for it."""
        try:
            if opened := await self._begin():
                await self._answer_and_account(opened)
        finally:
            self.has_ended = True
            self._news.set()

    async def _begin(self) -> Opened | None:
        try:
            return await begin_in_thread(self.order)
        except TurnRefused as refusal:
            self.refusal = refusal
        except Error:
            log.exception("A call could not begin.")
            self.refusal = Away()
        return None

    async def _answer_and_account(self, opened: Opened) -> None:
        self.outcome.request, self._allowance = opened.request, Allowance(opened.allowance)
        try:
            await self._answer(opened)
        finally:
            complaint = f"What became of call {opened.row.pk} could not be written"
            self.usage = await insist(lambda: finish_in_thread(opened.row, self.order, self.outcome, self.written), list, complaint)

    @property
    def written(self) -> tuple[str, str]:
        """The text, and the reasoning, that has come."""
        text, reasoning = ("".join(pieces) for pieces in self._written.values())
        return text, reasoning

    async def _answer(self, opened: Opened) -> None:
        self._reading = asyncio.create_task(self._read(opened.request))
        keeping = asyncio.create_task(self._keep(opened.row))
        if self._is_stopping:  # nothing is sent
            self._reading.cancel()
            self.outcome.reached_model = False
        try:
            await asyncio.wait({self._reading})
        except asyncio.CancelledError:
            self.stop(RESTARTED, "interrupted")
            await asyncio.wait({self._reading})
            raise
        finally:
            keeping.cancel()
        self._judge(self._reading)

    def _judge(self, reading: asyncio.Task[None]) -> None:
        """Set the outcome by how the reading ended; a stop has set it."""
        if reading.cancelled():
            return
        error = reading.exception()
        if error is None:
            self._allowance.say_so(self.outcome)
        elif isinstance(error, ProviderError):
            self.error = error
            self.outcome.fail(error)
        elif isinstance(error, Stalled):
            self.outcome.break_off(Status.STOPPED, STALLED, "stalled")
        else:
            log.error("A call failed.", exc_info=error)
            self.outcome.break_off(Status.FAILED, BROKEN, "internal_error")

    async def _read(self, request: ChatRequest) -> None:
        stream = adapter_for(endpoint_of(self.order.model.provider)).stream(request)
        try:
            async with aclosing(stream):
                async for events in stream:
                    kept = [Event(kind, clean(data)) for kind, data in events if data and kind in self._written]
                    await self._give(kept)
                    if self._allowance.is_spent_by(kept):
                        return
        finally:
            self.outcome.note(stream)

    async def _give(self, events: list[Event]) -> None:
        """Lay out what came, and wait while too much of it lies there."""
        for kind, data in events:
            self._written[kind].append(data)
            self._size += len(data)
        if not events:
            return
        self.outcome.first_token_at = self.outcome.first_token_at or timezone.now()
        self._waiting += events
        self._news.set()
        while self._size > MOST_WAITING:
            self._room.clear()
            try:
                async with asyncio.timeout(STALLED_SECONDS):
                    await self._room.wait()
            except TimeoutError:
                raise Stalled from None

    async def _keep(self, opened: ApiCall) -> None:
        """Say that the call is still open, and end it with its token."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            if not await may_go_on_in_thread(opened):
                self.stop(REVOKED, "invalid_token")


class Away(TurnRefused):
    """The database cannot be asked whether the call may begin."""

    status = 503
    retry_after = 5

    def __init__(self) -> None:
        super().__init__(AWAY, "unavailable")


begin_in_thread = threads.in_thread(threads.web, begin)
finish_in_thread = threads.in_thread(threads.web, finish)
may_go_on_in_thread = threads.in_thread(threads.web, ApiCall.may_go_on)

"""Calls of programs: one upstream attempt that nobody keeps but the ledger, read as fast as the program takes what comes.

A call ends by the provider's end or error, by its program's leaving, or with its token or its process. The ledger has a row of each.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import Error, transaction
from django.utils import timezone

from chatsite import threads
from conversations.events import Event, EventKind
from conversations.models import ApiCall, ApiToken, LanguageModel, Status, TurnRefused, Usage
from conversations.models.calls import begin_call
from conversations.providers.base import ChatMessage, ChatRequest
from conversations.providers.errors import ProviderError
from conversations.providers.registry import adapter_for

from .ending import BROKEN, Outcome, estimate, fill
from .engine import clean
from .history import endpoint_of, parameters_of
from .patience import insist

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 15.0
MOST_WAITING = 65_536  # characters that the program has not taken yet; until it does, no more is read of the provider
MOST_SETTLED = 100  # at once
STALLED_SECONDS = 60.0  # that a program may take nothing; a model that writes for nobody costs money

REVOKED = "The token of this call is not valid any more."
LEFT = "The program left."
STALLED = "The program has taken nothing for a minute, so the call was ended."
RESTARTED = "The server was restarted in the middle of this call. Ask again."
AWAY = "The database cannot be used just now. Ask again in a moment."


@dataclass(frozen=True, slots=True)
class Order:
    """What a program asks for, and for whom."""

    person: User
    token: ApiToken
    model: LanguageModel
    request: ChatRequest


def order_of(
    person: User, token: ApiToken, model: LanguageModel, system_prompt: str, messages: Sequence[tuple[str, str]], wishes: Mapping[str, Any]
) -> Order:
    """Return the order for what was said: roles and texts."""
    said = [ChatMessage(role, clean(text)) for role, text in messages]
    parameters = parameters_of(model, wishes)
    request = ChatRequest(model.model_id, said, clean(system_prompt), parameters, "api", reasons=model.supports_reasoning)
    return Order(person, token, model, request)


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

    async def _begin(self) -> ApiCall | None:
        try:
            return await begin_in_thread(self.order)
        except TurnRefused as refusal:
            self.refusal = refusal
        except Error:
            log.exception("A call could not begin.")
            self.refusal = Away()
        return None

    async def _answer_and_account(self, opened: ApiCall) -> None:
        try:
            await self._answer(opened)
        finally:
            complaint = f"What became of call {opened.pk} could not be written"
            self.usage = await insist(lambda: finish_in_thread(opened, self.order, self.outcome, self.written), list, complaint)

    @property
    def written(self) -> tuple[str, str]:
        """The text, and the reasoning, that has come."""
        text, reasoning = ("".join(pieces) for pieces in self._written.values())
        return text, reasoning

    async def _answer(self, opened: ApiCall) -> None:
        self._reading = asyncio.create_task(self._read())
        keeping = asyncio.create_task(self._keep(opened))
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
        error = None if reading.cancelled() else reading.exception()
        if isinstance(error, ProviderError):
            self.error = error
            self.outcome.fail(error)
        elif isinstance(error, Stalled):
            self.outcome.break_off(Status.STOPPED, STALLED, "stalled")
        elif error:
            log.error("A call failed.", exc_info=error)
            self.outcome.break_off(Status.FAILED, BROKEN, "internal_error")

    async def _read(self) -> None:
        stream = adapter_for(endpoint_of(self.order.model.provider)).stream(self.order.request)
        try:
            async with aclosing(stream):
                async for events in stream:
                    await self._give([Event(kind, clean(data)) for kind, data in events if data and kind in self._written])
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


def begin(order: Order) -> ApiCall:
    """Before the call: whatever limits a person looks here, in one transaction; the prices are those of now."""
    order.model.hold_rates()
    return begin_call(order.person, order.token, order.model, estimate(order.request, "", "").input_tokens)


@transaction.atomic
def finish(opened: ApiCall, order: Order, outcome: Outcome, written: tuple[str, str]) -> Usage:
    """After the call: it is closed and in the ledger, in one transaction.

    Done again, because its commit was not heard of, it changes nothing.
    """
    usage = Usage(purpose=Usage.Purpose.API, person=order.person, token=order.token)
    fill(usage, order.model, order.request, outcome, *written)
    if opened.close():
        usage.save()
    return usage


def settle_lost() -> None:
    """Account for calls whose process died: what was asked, because nobody knows what was answered."""
    for lost in ApiCall.objects.lost().select_related("model")[:MOST_SETTLED]:
        with transaction.atomic():
            if lost.close() and lost.model:
                usage = Usage(purpose=Usage.Purpose.API, person_id=lost.person_id, token_id=lost.token_id)
                usage.input_tokens, usage.is_estimated = lost.input_tokens, True
                usage.take_prices(lost.model)
                usage.save()


begin_in_thread = threads.in_thread(threads.web, begin)
finish_in_thread = threads.in_thread(threads.web, finish)
may_go_on_in_thread = threads.in_thread(threads.web, ApiCall.may_go_on)

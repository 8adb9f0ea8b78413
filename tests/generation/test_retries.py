"""A provider that fails before anything is shown is asked again, a few times; what has been shown is never begun anew."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from conversations.generation.retries import LONGEST_PAUSE, MAX_TRIES, pause_before_next
from conversations.generation.supervisor import supervisor
from conversations.models import Generation, LanguageModel, Protocol, Status, Turn, Usage
from conversations.providers import errors
from tests.factories import make_model, make_provider
from tests.live import PATIENCE, ask, ended, until, working_supervisor
from tests.providers.wire import Answer, Line, Wire, recorded, serve, whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

BUSY = whole(b"{}", "application/json", 503)


def one_after_the_other(*answers: Answer) -> Answer:
    """Answer each request in its own way; the last way stays."""
    left = list(answers)

    async def answer(line: Line) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(line)

    return answer


def model_at(url: str) -> LanguageModel:
    return make_model(make_provider(protocol=Protocol.OPENAI_CHAT, base_url=url), input_price=5, output_price=5)


@asynccontextmanager
async def asked(*answers: Answer) -> AsyncIterator[tuple[Turn, Wire]]:
    async with asyncio.timeout(PATIENCE), serve(one_after_the_other(*answers)) as (wire, adapter), working_supervisor():
        model = await sync_to_async(model_at)(adapter.endpoint.base_url)
        yield await ask("hello", model=model), wire


def ledger(generation: Generation) -> list[tuple[Any, ...]]:
    return list(Usage.objects.filter(generation=generation).order_by("attempt").values_list("attempt", "is_estimated", "cost"))


async def test_a_provider_that_is_busy_for_a_moment_answers_at_the_next_try() -> None:
    async with asked(BUSY, BUSY, whole(recorded("openai.sse"))) as (turn, wire):
        done = await ended(turn.generation.pk)
        rows = await sync_to_async(ledger)(done)
    assert (done.status, done.attempt, len(wire.requests)) == (Status.COMPLETE, 3, 3)
    assert done.message.text
    assert [(attempt, cost > 0) for attempt, _, cost in rows] == [(1, False), (2, False), (3, True)]
    assert not rows[2][1]


async def test_one_that_stays_away_is_given_up_after_a_few_tries() -> None:
    async with asked(BUSY) as (turn, wire):
        done = await ended(turn.generation.pk)
        rows = await sync_to_async(ledger)(done)
    assert (done.status, done.error_code, len(wire.requests)) == (Status.FAILED, "unavailable", MAX_TRIES)
    assert len(rows) == MAX_TRIES
    assert sum(cost for _, _, cost in rows) == 0


async def test_what_has_been_shown_is_not_begun_anew() -> None:
    async with asked(whole(recorded("cut_off.sse"))) as (turn, wire):
        done = await ended(turn.generation.pk)
    assert (done.status, done.attempt, len(wire.requests)) == (Status.FAILED, 1, 1)
    assert done.message.text


async def test_an_error_that_will_not_pass_is_told_at_once() -> None:
    async with asked(whole(b"{}", "application/json", 401)) as (turn, wire):
        done = await ended(turn.generation.pk)
    assert (done.error_code, len(wire.requests)) == ("unauthorised", 1)


async def test_stop_ends_the_wait_for_the_next_try() -> None:
    async with asked(whole(b"{}", "application/json", 429, "Retry-After: 9\r\n")) as (turn, wire):
        await until(lambda: len(wire.requests), holds=lambda count: count == 1)
        await until(turn.generation.request_stop, holds=bool)
        async with asyncio.timeout(8):
            supervisor.notify(turn.generation.pk)
            done = await ended(turn.generation.pk)
        rows = await sync_to_async(ledger)(done)
    assert (done.status, done.attempt) == (Status.STOPPED, 1)
    assert [cost for _, _, cost in rows] == [0]


def test_the_provider_is_left_alone_for_as_long_as_it_asks() -> None:
    pauses = [pause_before_next(errors.RateLimited(retry_after=7), 1) or 0 for _ in range(50)]
    assert 7 < min(pauses) < max(pauses) < 8
    assert pause_before_next(errors.RateLimited(retry_after=LONGEST_PAUSE + 1), 1) is None
    assert pause_before_next(errors.Unavailable(), MAX_TRIES) is None
    assert pause_before_next(errors.NoCredit(), 1) is None


def test_pauses_grow_and_differ() -> None:
    first, second = ([pause_before_next(errors.Unavailable(), tries) or 0 for _ in range(50)] for tries in (1, 2))
    assert 0.25 <= min(first) < max(first) <= 0.75
    assert 0.5 <= min(second) < max(second) <= 1.5

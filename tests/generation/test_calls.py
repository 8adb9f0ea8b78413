"""Calls of programs: each is a row of the ledger however it ends, and no faster than its program takes it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db.models import ProtectedError
from django.utils import timezone

from conversations.generation import calls
from conversations.generation.allowance import CODE
from conversations.generation.calls import Call
from conversations.generation.ending import Outcome
from conversations.generation.orders import begin, finish, order_of, settle_lost
from conversations.generation.supervisor import supervisor
from conversations.models import (
    ApiCall,
    ApiToken,
    Budget,
    BudgetPeriod,
    LanguageModel,
    NothingLeft,
    Reservation,
    Scope,
    Status,
    TooFast,
    Usage,
    make_token,
)
from conversations.models.calls import begin_call
from tests.conftest import in_parallel
from tests.factories import make_model
from tests.live import PATIENCE, until, working_supervisor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


@pytest.fixture
def token(alice: User) -> ApiToken:
    return make_token(alice, "A script", [Scope.CHAT], None)[0]


@pytest.fixture
def model(db: None) -> LanguageModel:
    return make_model(input_price=1, output_price=2)


def ask(token: ApiToken, model: LanguageModel, prompt: str) -> Call:
    return Call(order_of(token.owner, token, model, "", [("user", prompt)], {}))


@asynccontextmanager
async def running(call: Call) -> AsyncIterator[Call]:
    """A call that the supervisor runs; in the end it has ended."""
    async with working_supervisor():
        supervisor.hold(call.run())
        yield call
        await rest_of(call)


async def rest_of(call: Call) -> str:
    """Take all that comes, to the end."""
    text = ""
    async with asyncio.timeout(PATIENCE):
        while events := await call.take():
            text += "".join(data for _, data in events)
    return text


def ledger() -> list[Usage]:
    assert not ApiCall.objects.exists()
    return list(Usage.objects.filter(purpose=Usage.Purpose.API).order_by("pk"))


async def the_row() -> Usage:
    (row,) = await sync_to_async(ledger)()
    return row


async def test_a_whole_answer_is_a_row_with_who_asked_and_what_it_cost(alice: User, token: ApiToken, model: LanguageModel) -> None:
    async with running(ask(token, model, "Why is the sky blue? /rate 5000")) as call:
        assert "Why is the sky blue?" in await rest_of(call)
    row = await the_row()
    assert (row.person_id, row.token_id, row.model_id, row.is_estimated) == (alice.pk, token.pk, model.pk, False)
    assert row.cost == Decimal(row.input_tokens + 2 * row.output_tokens) / 1_000_000 > 0
    assert call.usage == row


@pytest.mark.parametrize(
    ("prompt", "is_free"), [("/fail unauthorised", True), ("/fail unavailable middle /rate 5000", False), ("/fail malformed", False)]
)
async def test_one_that_fails_is_a_row(token: ApiToken, model: LanguageModel, prompt: str, is_free: bool) -> None:
    async with running(ask(token, model, prompt)) as call:
        await rest_of(call)
    assert call.outcome.status == Status.FAILED
    assert ((await the_row()).cost == 0) == is_free


async def test_one_that_is_stopped_while_the_model_is_silent_is_a_row(token: ApiToken, model: LanguageModel) -> None:
    async with running(ask(token, model, "/silent")) as call:
        await until(ApiCall.objects.count, holds=bool)
        call.stop()
    assert call.outcome.status == Status.STOPPED
    assert (await the_row()).input_tokens > 0


async def test_one_that_was_left_before_anything_was_sent_costs_nothing(token: ApiToken, model: LanguageModel) -> None:
    call = ask(token, model, "/silent")
    call.stop()
    async with running(call):
        pass
    row = await the_row()
    assert (row.input_tokens, row.cost) == (0, 0)


async def test_the_end_of_the_process_ends_it_and_it_is_a_row(token: ApiToken, model: LanguageModel) -> None:
    async with working_supervisor():
        call = ask(token, model, "/pause 3600 /long 3 /rate 5000")
        supervisor.hold(call.run())
        await call.take()
    assert call.has_ended
    assert call.outcome.error_code == "interrupted"
    assert (await the_row()).output_tokens > 0


async def test_it_ends_with_its_token(token: ApiToken, model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "HEARTBEAT_SECONDS", 0.05)
    async with running(ask(token, model, "/silent")) as call:
        await until(ApiCall.objects.count, holds=bool)
        await asyncio.sleep(0.2)  # several heartbeats, which it outlives
        assert not call.has_ended
        await sync_to_async(token.revoke)()
        await rest_of(call)
    assert (call.outcome.error_code, call.outcome.status) == ("invalid_token", Status.STOPPED)
    await the_row()


async def test_no_more_is_read_than_the_program_takes(token: ApiToken, model: LanguageModel) -> None:
    async with running(ask(token, model, "/long 3000 /rate 100000")) as call:
        async with asyncio.timeout(PATIENCE):
            while call._size <= calls.MOST_WAITING:
                await asyncio.sleep(0.01)
        lying = call._size
        await asyncio.sleep(0.2)  # in which twenty thousand tokens more fall due
        assert call._size == lying
        text = await rest_of(call)
    assert len(text) > 4 * lying
    assert call.outcome.status == Status.COMPLETE


async def test_a_program_that_takes_nothing_for_long_is_given_up(
    token: ApiToken, model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "STALLED_SECONDS", 0.05)
    async with working_supervisor():
        call = ask(token, model, "/long 3000 /rate 100000")
        supervisor.hold(call.run())
        await until(lambda: call.has_ended, holds=bool)
    assert call.outcome.error_code == "stalled"
    assert (await the_row()).output_tokens > 0


async def test_who_asks_too_fast_is_refused_before_anything_is_sent(token: ApiToken, model: LanguageModel, settings: Any) -> None:
    settings.ANSWERS_AT_ONCE = 1
    async with running(ask(token, model, "/silent")) as first:
        await until(ApiCall.objects.count, holds=bool)
        second = ask(token, model, "Hello")
        supervisor.hold(second.run())
        assert await second.take() == []
        assert isinstance(second.refusal, TooFast)
        first.stop()
    await the_row()


def test_what_a_dead_process_left_is_accounted_for_once(alice: User, token: ApiToken, model: LanguageModel) -> None:
    left, living = (begin_call(alice, token, model, 1_000) for _ in range(2))
    ApiCall.objects.filter(pk=left.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    settle_lost()
    settle_lost()
    (row,) = Usage.objects.all()
    assert (row.person, row.input_tokens, row.is_estimated) == (alice, 1_000, True)
    assert row.cost > 0
    assert ApiCall.objects.get() == living


def test_a_process_that_was_only_silent_writes_no_second_row(alice: User, token: ApiToken, model: LanguageModel) -> None:
    opened = begin_call(alice, token, model, 1_000)
    ApiCall.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    settle_lost()
    assert not opened.may_go_on()
    order = order_of(alice, token, model, "", [("user", "Hello")], {})
    finish(opened, order, Outcome(Status.COMPLETE), ("Hello", ""))
    assert len(ledger()) == 1


def test_what_could_not_be_heard_to_be_written_is_written_once(alice: User, token: ApiToken, model: LanguageModel) -> None:
    opened = begin_call(alice, token, model, 1_000)
    order = order_of(alice, token, model, "", [("user", "Hello")], {})
    for _ in range(2):
        usage = finish(opened, order, Outcome(Status.COMPLETE), ("Hello", ""))
    assert [row.output_tokens for row in ledger()] == [usage.output_tokens]


def test_a_model_is_not_deleted_while_it_answers(alice: User, token: ApiToken, model: LanguageModel) -> None:
    opened = begin(order_of(alice, token, model, "", [("user", "Hello")], {})).row
    with pytest.raises(ProtectedError):
        LanguageModel.objects.filter(pk=model.pk).delete()
    opened.close()
    LanguageModel.objects.filter(pk=model.pk).delete()


def used_and_held() -> tuple[int, int]:
    """Tokens of the only budget. What is used of it is what the ledger says."""
    period = BudgetPeriod.objects.get()
    assert period.used_tokens == sum(row.input_tokens + row.output_tokens for row in Usage.objects.all())
    return period.used_tokens, period.held_tokens


@pytest.mark.parametrize("prompt", ["Hello /rate 5000", "/fail unauthorised", "/fail unavailable middle /rate 5000", "/nousage /rate 5000"])
async def test_its_budgets_hold_the_worst_case_and_pay_what_it_was(token: ApiToken, model: LanguageModel, prompt: str) -> None:
    await Budget.objects.acreate(token_limit=10**6)
    async with running(ask(token, model, prompt)) as call:
        await until(BudgetPeriod.objects.count, holds=bool)
        await rest_of(call)
    used, held = await sync_to_async(used_and_held)()
    assert (used > 0, held) == (prompt != "/fail unauthorised", 0)
    assert not await Reservation.objects.aexists()


async def test_what_no_budget_pays_is_refused_before_anything_is_sent(token: ApiToken, model: LanguageModel) -> None:
    await Budget.objects.acreate(token_limit=20)
    async with running(ask(token, model, "Hello")) as call:
        assert await call.take() == []
    assert isinstance(call.refusal, NothingLeft)
    assert await sync_to_async(ledger)() == []


async def test_one_that_reaches_what_is_left_ends_there(token: ApiToken, model: LanguageModel) -> None:
    await Budget.objects.acreate(token_limit=300)
    async with running(ask(token, model, "/long 50 /rate 5000 /nousage")) as call:
        text = await rest_of(call)
    assert call.outcome.error_code == CODE
    assert 500 < len(text) < 5_000
    _, held = await sync_to_async(used_and_held)()
    assert held == 0


def test_what_a_dead_process_left_is_paid_and_held_no_longer(alice: User, token: ApiToken, model: LanguageModel) -> None:
    Budget.objects.create(token_limit=10**6)
    begin(order_of(alice, token, model, "", [("user", "Hello")], {}))
    assert used_and_held()[1] > 0
    ApiCall.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    settle_lost()
    used, held = used_and_held()
    assert (used > 0, held) == (True, 0)


def test_twenty_programs_at_once_do_not_overspend(alice: User, token: ApiToken, model: LanguageModel) -> None:
    Budget.objects.create(token_limit=5_000)

    def call(_: int) -> bool:
        try:
            opened = begin(order_of(alice, token, LanguageModel.objects.get(pk=model.pk), "", [("user", "Hello")], {"max_tokens": 1_000}))
        except NothingLeft:
            return False
        assert opened.allowance is None or opened.allowance < 1_000
        return True

    assert 4 <= sum(in_parallel(20, call)) <= 5
    period = BudgetPeriod.objects.get()
    assert period.held_tokens <= 5_000

"""Budgets while answers are written: where one ends in mid-stream, what is kept through takeovers, and that every sum agrees."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.events import Event, EventKind
from conversations.generation import titles
from conversations.generation.allowance import CODE, SPENT, Allowance
from conversations.generation.ending import Outcome, end, requeue
from conversations.generation.history import Assignment
from conversations.generation.leases import take
from conversations.generation.retries import begin_next_attempt
from conversations.models import (
    Budget,
    BudgetPeriod,
    Generation,
    JournalEntry,
    Message,
    NothingLeft,
    Protocol,
    Reservation,
    Status,
    Turn,
    Usage,
    go_on,
)
from conversations.models.budgets import DOLLAR
from conversations.models.generations import generation_to_run
from conversations.providers.base import UsageReport
from tests.factories import make_group, make_model, make_provider, make_turn, make_user
from tests.live import PATIENCE, ask, ended, working_supervisor
from tests.providers.wire import serve, whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


def make_budget(**fields: Any) -> Budget:
    return Budget.objects.create(**({"token_limit": 10**9} | fields))


def answer_of(turn: Turn) -> Message:
    return Message.objects.select_related("generation__model", "conversation", "parent").get(pk=turn.answer.pk)


async def test_an_answer_that_reaches_its_allowance_stops_there_with_its_text_kept_and_the_reason_said() -> None:
    await sync_to_async(make_budget)(token_limit=300)
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/long 50 /rate 1000 /nousage")
        done = await ended(turn.generation.pk)
        usage = await Usage.objects.aget(generation=done)
    assert (done.status, done.error_code, done.error_sentence) == (Status.STOPPED, CODE, SPENT)
    assert usage.output_tokens >= (done.allowance or 0) > 200
    assert len(done.message.text) < 10_000
    period = await BudgetPeriod.objects.aget()
    assert (period.held_tokens, period.used_tokens) == (0, usage.input_tokens + usage.output_tokens)
    answer = await sync_to_async(answer_of)(turn)
    assert answer.can_be_continued
    with pytest.raises(NothingLeft):
        await sync_to_async(go_on)(answer, answer.generation.model)


LENGTH = (
    b'data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"As far as"}}]}\n\n'
    b'data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"length"}]}\n\n'
    b"data: [DONE]\n\n"
)


@pytest.mark.parametrize(("limit", "status", "code"), [(400, Status.STOPPED, CODE), (10**6, Status.COMPLETE, "")])
async def test_a_provider_is_asked_for_no_more_than_is_left_and_its_end_is_told_as_the_budgets(limit: int, status: str, code: str) -> None:
    await sync_to_async(make_budget)(token_limit=limit)
    async with asyncio.timeout(PATIENCE), serve(whole(LENGTH)) as (wire, adapter), working_supervisor():
        provider = await sync_to_async(make_provider)(protocol=Protocol.OPENAI_CHAT, base_url=adapter.endpoint.base_url)
        turn = await ask("hello", model=await sync_to_async(make_model)(provider, max_output_tokens=500))
        done = await ended(turn.generation.pk)
    assert (done.status, done.error_code, done.message.text) == (status, code, "As far as")
    assert wire.body["max_tokens"] == (done.allowance or 500)


def test_no_query_is_asked_for_what_is_written(django_assert_num_queries: Any) -> None:
    allowance, words = Allowance(10), [Event(EventKind.TEXT_DELTA, "four"), Event(EventKind.REASONING_DELTA, "more")]
    with django_assert_num_queries(0):
        assert [allowance.is_spent_by(words) for _ in range(6)] == [False] * 5 + [True]
    assert not any(Allowance(None).is_spent_by(words) for _ in range(100))


def test_without_budgets_the_end_asks_no_more() -> None:
    turn = make_turn()
    assignment = take(turn.generation.pk, "one")
    assert assignment
    assert not assignment.generation.is_budgeted


def test_an_attempt_that_is_given_back_or_taken_over_keeps_its_hold_and_is_counted() -> None:
    make_budget()
    turn = make_turn(model=make_model(input_price=1, output_price=1))
    whole = BudgetPeriod.objects.get().held_tokens
    first = take(turn.generation.pk, "first")
    assert first
    requeue(first.generation, Outcome(Status.COMPLETE, request=first.request, usage=UsageReport(5, 0)))
    assert take(turn.generation.pk, "second")
    Generation.objects.update(lease_until=timezone.now() - timedelta(hours=1))
    third = take(turn.generation.pk, "third")
    assert third
    period = BudgetPeriod.objects.get()
    assert period.held_tokens == whole
    assert period.used_tokens == sum(usage.input_tokens + usage.output_tokens for usage in Usage.objects.all()) > 5


def test_a_title_that_no_budget_pays_is_not_asked_for() -> None:
    make_budget(token_limit=300)
    turn = make_turn(prompt="x" * 30, model=make_model(max_output_tokens=200))
    finish(turn, UsageReport(150, 100))
    assert titles.begin(generation_of(turn)) is None
    assert Reservation.objects.count() == 0


def finish(turn: Turn, report: UsageReport) -> None:
    assignment = take(turn.generation.pk, "somebody")
    assert assignment
    assert end(assignment.generation, Outcome(Status.COMPLETE, usage=report, request=assignment.request))


def generation_of(turn: Turn) -> Generation:
    generation = generation_to_run.first(turn.generation.pk)
    assert generation
    return generation


ACTS = (
    *("begin", "begin", "begin", "take", "take", "attempt", "give back", "end", "end", "late end", "stop", "title"),
    *("lose", "lose with text"),
)
TOKENS = st.integers(0, 400)
STEPS = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 5), TOKENS, TOKENS, st.booleans()), min_size=5, max_size=40)


class Story:
    """People ask, processes answer, die and come back, each in any order; after every act all sums agree."""

    def __init__(self) -> None:
        self.people = [make_user(), make_user()]
        group = make_group("", self.people[0])
        self.model = make_model(input_price=Decimal("2.5"), output_price=Decimal(10), max_output_tokens=300)
        self.scopes = {
            make_budget(cost_limit=Decimal("0.02")).pk: self.people,
            make_budget(group=group, token_limit=2000, period="day").pk: self.people[:1],
            make_budget(person=self.people[1], token_limit=3000).pk: self.people[1:],
        }
        self.each = make_budget(is_each=True, cost_limit=Decimal("0.015")).pk
        self.turns: list[Turn] = []
        self.running: dict[int, Assignment] = {}
        self.lost: list[Assignment] = []

    def act(self, act: str, number: int, read: int, written: int, is_counted: bool) -> None:
        if act == "begin":
            self._begin(number)
            return
        turn = self.turns[number % len(self.turns)] if self.turns else None
        if turn is None:
            return
        pk = turn.generation.pk
        assignment = self.running.get(pk)
        report = UsageReport(read, written, cached_tokens=read // 2) if is_counted else None
        if act == "take" and assignment is None:
            self._take(pk)
        elif act == "stop":
            Generation.objects.get(pk=pk).request_stop()
        elif act == "title":
            self._title(turn, report)
        elif act == "late end" and self.lost:
            late = self.lost.pop()
            assert not end(late.generation, Outcome(Status.COMPLETE, usage=report, request=late.request))
        elif assignment:
            self._go_on(act, assignment, Outcome(Status.COMPLETE, usage=report, request=assignment.request))

    def _begin(self, number: int) -> None:
        with suppress(NothingLeft):
            self.turns.append(make_turn(owner=self.people[number % 2], model=self.model, prompt="x" * 100 * number or "x"))

    def _take(self, pk: int) -> None:
        if assignment := take(pk, f"owner {len(self.lost)}"):
            self.running[pk] = assignment

    def _go_on(self, act: str, assignment: Assignment, outcome: Outcome) -> None:
        generation = assignment.generation
        if act == "attempt":
            assert begin_next_attempt(generation, outcome)
        elif act == "end":
            assert end(generation, outcome)
            del self.running[generation.pk]
        elif act == "give back":
            requeue(generation, outcome)
            del self.running[generation.pk]
        else:
            if act == "lose with text":
                JournalEntry.objects.create(generation=generation, position=1, kind="text_delta", data="Half")
            Generation.objects.filter(pk=generation.pk).update(lease_until=timezone.now() - timedelta(hours=1))
            self.lost.append(self.running.pop(generation.pk))
            self._take(generation.pk)

    def _title(self, turn: Turn, report: UsageReport | None) -> None:
        naming = titles.begin(generation_of(turn))
        for _ in range(2 if naming else 0):  # a commit that was not heard of is done again
            titles.finish(naming, Outcome(Status.COMPLETE, usage=report, request=naming.request), "A title", "")  # type: ignore[union-attr, arg-type]

    def check(self) -> None:
        for period in BudgetPeriod.objects.all():
            people = self.scopes.get(period.budget_id) or [person for person in self.people if person.pk == period.holder]
            rows = list(Usage.objects.filter(person__in=people))
            assert period.used_cost == sum(usage.cost for usage in rows) * DOLLAR
            assert period.used_tokens == sum(usage.input_tokens + usage.output_tokens for usage in rows)
            held = period.reservations.aggregate(cost=Sum("cost", default=0), tokens=Sum("tokens", default=0))
            assert (period.held_cost, period.held_tokens) == (held["cost"], held["tokens"])
            assert (period.held_cost, period.held_tokens) >= (0, 0)
        of_answers = sum(usage.cost for turn in self.turns for usage in turn.generation.usages.all())
        of_titles = sum(usage.cost for usage in Usage.objects.filter(purpose=Usage.Purpose.TITLE))
        assert of_answers + of_titles == sum(usage.cost for usage in Usage.objects.all())
        assert not Reservation.objects.exclude(generation__status__in=("queued", "running")).exists()


@settings(max_examples=30)
@given(STEPS)
def test_the_ledger_the_totals_and_the_budgets_agree_under_any_interleaving(steps: list[tuple[str, int, int, int, bool]]) -> None:
    with transaction.atomic():
        story = Story()
        for step in steps:
            story.act(*step)
            story.check()
        transaction.set_rollback(True)

"""Budgets: whose they are, what they hold, what they refuse, and that nobody who comes at the same time spends what another one holds."""

import uuid
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from conversations.generation.ending import Outcome, end
from conversations.models import (
    Budget,
    BudgetPeriod,
    Generation,
    LanguageModel,
    Message,
    NothingLeft,
    Reservation,
    Status,
    Turn,
    answer_prompt,
    edit,
    go_on,
    retry,
    start_turn,
)
from conversations.models import budgets as module
from conversations.models.budgets import DOLLAR, MOST, Amount, charge
from conversations.models.holds import FORGOTTEN_SECONDS, release_forgotten
from conversations.models.trash import erase
from conversations.providers.base import ChatRequest, UsageReport
from tests.conftest import in_parallel
from tests.factories import make_conversation, make_group, make_model, make_turn, make_user

REQUEST = ChatRequest("m", [])
PROMPT = "x" * 30  # 10 tokens, and 9 for the message


def make_budget(**fields: Any) -> Budget:
    return Budget.objects.create(**({"period": Budget.Period.DAY, "token_limit": 1_000_000} | fields))


def make_small_model(**fields: Any) -> LanguageModel:
    """PROMPT takes 19 tokens of input at 10 cents each, its answer at most 200 at 2 cents each: 5.90 dollars."""
    return make_model(**{"max_output_tokens": 200, "input_price": 100_000, "output_price": 20_000} | fields)


def finish(turn: Turn, report: UsageReport | None = None, status: Status = Status.COMPLETE, text: str = "") -> None:
    assert turn.generation.claim("somebody")
    assert end(turn.generation, Outcome(status, usage=report or UsageReport(10, 20), request=REQUEST))
    Message.objects.filter(pk=turn.answer.pk).update(text=text)


def held() -> list[tuple[int, int]]:
    return list(BudgetPeriod.objects.order_by("pk").values_list("held_cost", "held_tokens"))


def used() -> list[tuple[int, int]]:
    return list(BudgetPeriod.objects.order_by("pk").values_list("used_cost", "used_tokens"))


def test_without_budgets_nothing_is_held(db: None) -> None:
    turn = make_turn()
    assert (turn.generation.is_budgeted, turn.generation.allowance) == (False, None)
    assert not BudgetPeriod.objects.exists()


def test_the_worst_case_is_held_and_what_was_used_is_counted_at_the_end(db: None) -> None:
    make_budget(cost_limit=1000, token_limit=1000)
    turn = make_turn(prompt=PROMPT, model=make_small_model())
    assert held() == [(DOLLAR * 59 // 10, 219)]
    assert turn.generation.allowance is None
    finish(turn, UsageReport(15, 30))
    assert held() == [(0, 0)]
    assert used() == [(DOLLAR * 21 // 10, 45)]
    assert not Reservation.objects.exists()


def test_only_what_a_budget_limits_is_held(db: None) -> None:
    make_budget(token_limit=None, cost_limit=1000)
    make_budget(token_limit=1000)
    make_turn(prompt=PROMPT, model=make_small_model())
    assert held() == [(DOLLAR * 59 // 10, 0), (0, 219)]


def test_of_a_long_conversation_no_more_is_held_than_the_model_can_read(db: None) -> None:
    make_budget(token_limit=10_000_000)
    model = make_model(context_window=1000, max_output_tokens=200)
    turn = make_turn(prompt="x" * 30_000, model=model)
    assert held() == [(0, 10_009 + 200)]
    finish(turn)
    make_turn(turn.conversation, PROMPT)
    assert held() == [(0, 800 + 200)]


@pytest.mark.postgresql
@pytest.mark.parametrize(("tools", "least"), [(["calculator"], 10_000), ([], 0)])
def test_what_tools_said_is_held_where_the_model_is_told_it_again(db: None, tools: list[str], least: int) -> None:
    make_budget()
    turn = make_turn(prompt=PROMPT, model=make_small_model(supports_tools=True, tools=tools, context_window=100_000))
    finish(turn)
    said = {"event": "tool_result", "behind": {"text": 0, "reasoning": 0}, "data": {"call": 1, "text": "x" * 30_000}}
    Message.objects.filter(pk=turn.answer.pk).update(tool_events=[said])
    make_turn(turn.conversation, PROMPT)
    ((_, tokens),) = held()
    assert least <= tokens < least + 400


@pytest.mark.parametrize(
    ("limits", "allowance"),
    [({"token_limit": 150}, 131), ({"token_limit": None, "cost_limit": Decimal("4.93")}, 151), ({"token_limit": 219}, None)],
)
def test_where_less_is_left_it_is_all_held_and_the_answer_has_an_allowance(db: None, limits: dict[str, Any], allowance: int | None) -> None:
    budget = make_budget(**limits)
    turn = make_turn(prompt=PROMPT, model=make_small_model())
    generation = Generation.objects.get(pk=turn.generation.pk)
    assert (generation.allowance, turn.generation.allowance) == (allowance, allowance)
    ((cost, tokens),) = held()
    assert cost <= (budget.limit or 0)
    assert tokens <= (budget.token_limit or 0)
    with pytest.raises(NothingLeft, match="held for answers that are being written"):
        make_turn(prompt=PROMPT, model=make_small_model())


def test_too_little_to_be_useful_is_refused_before_anything_is_kept(db: None) -> None:
    make_budget(token_limit=19 + 99)
    before = Message.objects.count()
    with pytest.raises(NothingLeft, match="Pick a cheaper model"):
        make_turn(prompt=PROMPT, model=make_small_model())
    assert Message.objects.count() == before
    assert held() == []
    assert make_turn(prompt=PROMPT, model=make_model(max_output_tokens=50)).generation.allowance is None


def test_what_is_used_up_is_told_with_the_day_on_which_it_begins_again(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "today", lambda: date(2026, 12, 31))
    monkeypatch.setattr("conversations.models.holds.today", module.today)
    alice = make_user()
    make_budget(period="month", person=alice, token_limit=0)
    with pytest.raises(NothingLeft, match=r"^Your budget for this month is used up\. It begins again on 1 January\.$"):
        make_turn(owner=alice)
    Budget.objects.update(period="day", person=None)
    with pytest.raises(NothingLeft, match=r"^The budget of this site for today is used up\. It begins again at midnight \(UTC\)\.$"):
        make_turn(owner=alice)


def test_each_period_begins_with_nothing_used(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = make_budget(period="month", token_limit=250)
    late = make_turn(prompt=PROMPT, model=make_small_model())
    monkeypatch.setattr(module, "today", lambda: budget.begins_again_on(timezone.localdate()))
    monkeypatch.setattr("conversations.models.holds.today", module.today)
    make_turn(prompt=PROMPT, model=make_small_model())
    finish(late, UsageReport(7, 8))
    assert ([tokens for _, tokens in used()], held()) == ([15, 0], [(0, 0), (0, 219)])


def test_a_month_begins_on_its_first_day() -> None:
    month, day = Budget(period="month"), Budget(period="day")
    assert (month.starts_on(date(2026, 2, 28)), month.begins_again_on(date(2026, 1, 31))) == (date(2026, 2, 1), date(2026, 2, 1))
    assert month.begins_again_on(date(2026, 12, 1)) == date(2027, 1, 1)
    assert (day.starts_on(date(2026, 2, 28)), day.begins_again_on(date(2026, 2, 28))) == (date(2026, 2, 28), date(2026, 3, 1))


def test_a_budget_is_that_of_its_scope(db: None) -> None:
    alice, bob = make_user(), make_user()
    group = make_group("Research", alice)
    scopes: list[dict[str, Any]] = [{}, {"group": group}, {"person": alice}, {"group": group, "is_each": True}, {"is_each": True}]
    budgets = [make_budget(**scope) for scope in scopes]
    make_budget(is_enabled=False, token_limit=0)
    make_budget(group=make_group("Others"), token_limit=0)
    make_turn(owner=alice)
    make_turn(owner=bob)
    found = sorted(BudgetPeriod.objects.values_list("budget", "holder"))
    assert found == sorted([(budget.pk, alice.pk if budget.is_each else 0) for budget in budgets] + [(budgets[4].pk, bob.pk)])


def test_what_is_for_each_is_shared_with_nobody(db: None) -> None:
    make_budget(is_each=True, token_limit=230)
    alice, model = make_user(), make_small_model()
    make_turn(owner=alice, prompt=PROMPT, model=model)
    make_turn(prompt=PROMPT, model=model)
    with pytest.raises(NothingLeft, match="left of your budget"):
        make_turn(owner=alice, prompt=PROMPT, model=model)


def test_the_budget_of_a_group_is_shared(db: None) -> None:
    alice, bob = make_user(), make_user()
    make_budget(group=make_group("Research", alice, bob), token_limit=230)
    model = make_small_model()
    make_turn(owner=alice, prompt=PROMPT, model=model)
    with pytest.raises(NothingLeft, match="the budget of the group “Research”"):
        make_turn(owner=bob, prompt=PROMPT, model=model)
    make_turn(prompt=PROMPT, model=model)


def test_a_model_that_costs_nothing_is_asked_when_the_money_is_gone(db: None) -> None:
    make_budget(token_limit=None, cost_limit=0)
    assert make_turn(model=make_model()).generation.allowance is None
    with pytest.raises(NothingLeft):
        make_turn(model=make_small_model())


def test_every_way_to_begin_an_answer_asks_the_budgets(db: None) -> None:
    model = make_small_model()
    conversation = make_conversation(make_user(), model=model)
    turn = make_turn(conversation, PROMPT)
    finish(turn, status=Status.STOPPED, text="Half")
    answer = Message.objects.select_related("generation", "conversation", "parent").get(pk=turn.answer.pk)
    unanswered = Message.objects.create(conversation=conversation, parent=answer, role="user", text="imported")
    budget = make_budget(token_limit=0)
    ways = [
        lambda: start_turn(conversation, "more", model, uuid.uuid4()),
        lambda: edit(answer.parent, "other", model, uuid.uuid4()),
        lambda: retry(answer, model),
        lambda: retry(answer, model, make_model()),
        lambda: go_on(answer, model),
        lambda: answer_prompt(unanswered, model),
    ]
    before = list(Message.objects.values_list("pk", flat=True))
    for way in ways:
        with pytest.raises(NothingLeft):
            way()
    assert list(Message.objects.values_list("pk", flat=True)) == before
    Budget.objects.filter(pk=budget.pk).update(token_limit=1_000_000)
    compared = retry(answer, model, make_model())
    assert [message.generation.is_budgeted for message in compared.answers] == [True, True]
    assert Reservation.objects.count() == 2


def test_what_an_answer_goes_on_from_is_read_again(db: None) -> None:
    make_budget(token_limit=100_000)
    model = make_small_model()
    turn = make_turn(prompt=PROMPT, model=model)
    finish(turn, status=Status.STOPPED, text="y" * 3000)
    before = held()[0][1]
    go_on(Message.objects.select_related("generation", "conversation", "parent").get(pk=turn.answer.pk), model)
    assert held()[0][1] - before >= 1000 + 19 + 200


def test_a_stop_before_anybody_began_gives_all_back(db: None) -> None:
    make_budget()
    turn = make_turn()
    assert turn.generation.request_stop()
    assert (held(), used()) == ([(0, 0)], [(0, 0)])


def test_what_is_deleted_changes_no_budget(db: None) -> None:
    make_budget()
    turn = make_turn()
    finish(turn, UsageReport(3, 4))
    erase(type(turn.conversation).objects.filter(pk=turn.conversation.pk))
    assert (held(), used()) == ([(0, 0)], [(0, 7)])


def test_what_is_held_for_an_account_that_is_gone_is_given_back(db: None) -> None:
    make_budget()
    turn = make_turn()
    before = held()
    turn.conversation.owner.delete()
    release_forgotten()
    assert held() == before
    Reservation.objects.update(created_at=timezone.now() - timedelta(seconds=FORGOTTEN_SECONDS + 1))
    release_forgotten()
    assert held() == [(0, 0)]


def test_a_budget_limits_something_and_has_one_scope(alice: User) -> None:
    for fields in ({"token_limit": None}, {"person": alice, "group": make_group("Both")}):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_budget(**fields)


def test_absurd_costs_break_nothing(db: None) -> None:
    make_budget(cost_limit=Decimal("999999.9999"))
    dear = make_model(input_price=Decimal("999999"), output_price=Decimal("999999"), context_window=2**31 - 1)
    turn = make_turn(model=dear)
    assert 900_000 < (turn.generation.allowance or 0) < 1_000_000
    pk = BudgetPeriod.objects.get().pk
    for _ in range(20):
        charge([pk], Amount.of(Decimal(10**15), 2**62))
    finish(turn)
    assert used() == [(MOST, MOST)]


RACERS = 50


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_fifty_who_ask_at_once_cannot_spend_more_than_there_is() -> None:
    model = make_small_model()
    people = [make_user() for _ in range(RACERS)]
    budget = make_budget(cost_limit=Decimal("5.9") * 20, token_limit=None)
    make_budget(token_limit=10**9, is_each=True)

    def ask_and_finish(number: int) -> bool:
        try:
            turn = make_turn(owner=people[number], prompt=PROMPT, model=model)
        except NothingLeft:
            return False
        if number % 2:
            finish(turn, UsageReport(19, 200))
        return True

    begun = in_parallel(RACERS, ask_and_finish)
    shared = BudgetPeriod.objects.get(budget=budget)
    assert sum(begun) == 20
    assert shared.used_cost + shared.held_cost == budget.limit
    assert Generation.objects.count() == 20
    for number in range(RACERS):
        if begun[number] and not number % 2:
            finish(Turn(*(Message.objects.get(conversation__owner=people[number], role=role) for role in ("user", "assistant"))))
    shared.refresh_from_db()
    assert shared.held_cost == 0
    assert not Reservation.objects.exists()

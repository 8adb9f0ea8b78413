"""What a person sees of money: a refusal with the prompt kept, a line beside the composer, and the page of what was used."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conversations.models import Budget, BudgetPeriod, Conversation, Generation, LanguageModel, Status, Usage
from conversations.models.budgets import DOLLAR, today
from conversations.models.spending import Month
from tests.factories import make_conversation, make_model, make_turn, make_user

from .sending import HTMX, JSON, START, finish, rows, send


def make_budget(**fields: Any) -> Budget:
    return Budget.objects.create(**({"token_limit": 100_000} | fields))


def use(budget: Budget, **fields: int) -> None:
    BudgetPeriod.objects.create(budget=budget, starts_on=budget.starts_on(today()), **fields)


def make_usage(person: User, model: LanguageModel, moment: datetime | None = None, **tokens: int) -> Usage:
    usage = Usage(person=person, **{"input_tokens": 1000, "output_tokens": 200} | tokens)
    usage.take_prices(model)
    usage.save()
    if moment:
        Usage.objects.filter(pk=usage.pk).update(created_at=moment)
    return usage


@pytest.mark.parametrize("where", ["new", "old"])
def test_what_a_budget_cannot_pay_is_refused_and_the_prompt_stays(alice: User, alices: Client, model: LanguageModel, where: str) -> None:
    make_budget(token_limit=0)
    url = START if where == "new" else reverse("start_turn", args=[make_conversation(alice, model=model).pk])
    before = rows()
    page = send(alices, url, "Tell me everything", model)
    assert page.status_code == 402
    assert page.context["composer"].text == "Tell me everything"
    assert "is used up. It begins again on" in page.context["composer"].error
    program = send(alices, url, "Tell me everything", model, headers=JSON)
    assert (program.status_code, program.json()["error"]["code"]) == (402, "budget")
    fragment = send(alices, url, "Tell me everything", model, headers=HTMX)
    assert (fragment.status_code, fragment.headers["HX-Reswap"]) == (402, "none")
    assert "is used up" in fragment.content.decode()
    assert rows() == before


def test_retry_and_edit_are_refused_in_the_same_words(alice: User, alices: Client, model: LanguageModel) -> None:
    turn = finish(make_turn(owner=alice, model=model))
    make_budget(token_limit=0)
    for name, pk in (("retry_answer", turn.answer.pk), ("edit_turn", turn.prompt.pk)):
        response = send(alices, reverse(name, args=[pk]), "other words", model, headers=JSON)
        assert (response.status_code, response.json()["error"]["code"]) == (402, "budget")


def test_the_same_prompt_sent_twice_is_paid_once(alice: User, alices: Client) -> None:
    model, key = make_model(max_output_tokens=200), uuid.uuid4()
    make_budget(token_limit=230)
    replies = [send(alices, START, "once", model, key=key, headers=JSON) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [201, 201]
    assert Conversation.objects.count() == 1


@pytest.mark.parametrize(("used", "said"), [(79_000, None), (81_000, "19,000 of 100,000 tokens left"), (100_001, "is used up")])
def test_what_is_left_is_said_at_the_composer_before_it_hurts(alice: User, alices: Client, used: int, said: str | None) -> None:
    use(make_budget(person=alice), used_tokens=used)
    for address in ("/", reverse("conversation", args=[make_conversation(alice).pk])):
        body = alices.get(address).content.decode()
        assert (said in body) if said else ("My usage</a></p>" not in body)


def test_after_a_prompt_the_line_is_as_it_has_become(alice: User, alices: Client) -> None:
    model = make_model(max_output_tokens=200)
    conversation = make_conversation(alice, model=model)
    budget = make_budget(person=alice)
    body = send(alices, reverse("start_turn", args=[conversation.pk]), "one", model, headers=HTMX).content.decode()
    assert 'hx-target="#low-budgets"' in body
    assert "tokens left" not in body
    Generation.objects.update(status=Status.COMPLETE)
    BudgetPeriod.objects.filter(budget=budget).update(used_tokens=90_000)
    body = send(alices, reverse("start_turn", args=[conversation.pk]), "two", model, headers=HTMX).content.decode()
    assert "10,000 of 100,000 tokens left" in body


def test_the_page_tells_what_was_used_by_day_and_model_and_nobody_elses(alice: User, alices: Client) -> None:
    dear, cheap = make_model(name="Dear", output_price=10_000), make_model(name="Cheap")
    yesterday = datetime.combine(today(), datetime.min.time(), UTC) - timedelta(hours=12)
    for model, moment in ((dear, None), (dear, None), (cheap, None), (cheap, yesterday)):
        make_usage(alice, model, moment)
    make_usage(make_user("bob"), make_model(name="Bobs"))
    page = alices.get(reverse("usage"), {"month": str(Month(today().replace(day=1)))})
    found = [(row.name, row.numbers) for _, day in page.context["days"] for row in day]
    assert found[:2] == [("Cheap", ("1", "1,000", "200", "$0.00")), ("Dear", ("2", "2,000", "400", "$4.00"))]
    assert "Bobs" not in page.content.decode()


def test_days_are_those_of_the_sites_time_zone(alice: User, alices: Client, model: LanguageModel, settings: Any) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"  # thirteen hours ahead in January
    make_usage(alice, model, datetime(2026, 1, 31, 12, tzinfo=UTC))
    assert [day.day for day, _ in alices.get(reverse("usage"), {"month": "2026-02"}).context["days"]] == [1]
    assert alices.get(reverse("usage"), {"month": "2026-01"}).context["days"] == []


@pytest.mark.parametrize("month", ["", "2026-13", "0000-00", "0001-01", "9999-12", "-1", "\0", "²⁰²⁶-01", "2026-01-31; DROP", "x" * 9000])
def test_a_month_that_is_none_is_that_of_today(alices: Client, month: str) -> None:
    page = alices.get(reverse("usage"), {"month": month})
    assert page.status_code == 200
    if not month.startswith("2026-01"):
        assert page.context["month"].is_now


def test_an_empty_month_says_so_and_leads_to_others(alices: Client) -> None:
    page = alices.get(reverse("usage"), {"month": "2026-01"}).content.decode()
    assert "Nothing was asked of any model in this month." in page
    assert 'href="?month=2025-12"' in page
    assert 'href="?month=2026-02"' in page
    assert "What is left" not in page


def test_the_page_tells_what_is_left_of_each_budget(alice: User, alices: Client) -> None:
    use(make_budget(person=alice, cost_limit=Decimal(10), period="day"), used_cost=4 * DOLLAR, held_cost=DOLLAR // 2, used_tokens=1)
    make_budget()
    body = alices.get(reverse("usage")).content.decode()
    assert "$6.00 of $10.00 left, of which $0.50 is held" in body
    assert "99,999 of 100,000 tokens left" in body
    assert "The budget of this site for this month" in body
    assert "style=" not in body


@pytest.mark.parametrize("amount", [1, 20])
def test_the_page_asks_the_same_however_much_there_is(alice: User, alices: Client, amount: int) -> None:
    for _ in range(amount):
        make_usage(alice, make_model())
        use(make_budget(), used_tokens=5)
    with CaptureQueriesContext(connection) as captured:
        alices.get(reverse("usage"))
    assert len(captured) == 7


def test_a_purged_conversation_stays_on_the_page(alice: User, alices: Client, model: LanguageModel) -> None:
    turn = make_turn(owner=alice, model=model)
    usage = Usage(person=alice, generation=turn.generation)
    usage.take_prices(model)
    usage.save()
    Generation.objects.update(status=Status.COMPLETE)
    turn.conversation.delete()
    assert alices.get(reverse("usage")).context["total"].numbers[0] == "1"

"""Budgets in the admin: what staff may enter, and what stays as it was counted."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from conversations.models import Budget, BudgetPeriod
from conversations.models.budgets import DOLLAR, today
from tests.factories import make_group

ADD = "admin:conversations_budget_add"


def sent(**fields: Any) -> dict[str, Any]:
    return {"person": "", "group": "", "period": "month", "cost_limit": "12.50", "token_limit": "", "is_enabled": "on"} | fields


def test_a_budget_is_made_for_the_site_a_group_or_a_person(root: Client, alice: User) -> None:
    for fields in ({}, {"group": make_group().pk, "is_each": "on"}, {"person": alice.pk, "cost_limit": "", "token_limit": "1000"}):
        assert root.post(reverse(ADD), sent(**fields)).status_code == 302, fields
    assert [str(budget) for budget in Budget.objects.all()] == [
        "the site, each month",
        f"each person of the group {Budget.objects.exclude(group=None).get().group}, each month",
        "alice, each month",
    ]
    assert Budget.objects.earliest("pk").limit == Decimal("12.5") * DOLLAR


@pytest.mark.parametrize(
    "fields",
    [
        {"cost_limit": ""},
        {"cost_limit": "-1"},
        {"cost_limit": "1000000"},
        {"cost_limit": "0.00001"},
        {"cost_limit": "NaN"},
        {"cost_limit": "Infinity"},
        {"token_limit": "-1"},
        {"token_limit": "9" * 19},
        {"token_limit": "9" * 400},
        {"token_limit": "1.5"},
        {"period": "year"},
        {"person": "9" * 30},
        {"person": "x\0"},
        {"group": "9" * 30},
    ],
    ids=str,
)
def test_what_is_no_budget_is_refused_in_words(root: Client, fields: dict[str, str]) -> None:
    page = root.post(reverse(ADD), sent(**fields))
    assert page.status_code == 200
    assert page.context["adminform"].form.errors
    assert not Budget.objects.exists()


def test_a_budget_has_one_scope(root: Client, alice: User) -> None:
    page = root.post(reverse(ADD), sent(person=alice.pk, group=make_group().pk))
    assert "choose one, or neither" in page.content.decode()
    page = root.post(reverse(ADD), sent(person=alice.pk, is_each="on"))
    assert "theirs alone already" in page.content.decode()
    assert not Budget.objects.exists()


def test_a_limit_can_change_and_what_it_counts_cannot(root: Client, alice: User) -> None:
    budget = Budget.objects.create(token_limit=5)
    url = reverse("admin:conversations_budget_change", args=[budget.pk])
    assert root.post(url, sent(person=alice.pk, period="day", token_limit="7")).status_code == 302
    budget.refresh_from_db()
    assert (budget.person, budget.period, budget.token_limit, budget.cost_limit) == (None, "month", 7, Decimal("12.5"))


def test_what_is_used_and_held_is_told_in_dollars(root: Client) -> None:
    budget = Budget.objects.create(cost_limit=5)
    BudgetPeriod.objects.create(budget=budget, starts_on=today(), used_cost=DOLLAR // 8, held_cost=3, used_tokens=11)
    body = root.get(reverse("admin:conversations_budgetperiod_changelist"), {"budget__id__exact": budget.pk}).content.decode()
    assert ">0.125<" in body
    assert ">0.000000000003<" in body

"""The lists: a fixed number of queries however many rows there are, and no long text is read for one."""

import uuid
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conversations.admin.generations import error_codes
from conversations.admin.words import ERRORS, in_words
from conversations.models import (
    Budget,
    BudgetPeriod,
    Conversation,
    Feedback,
    Generation,
    LanguageModel,
    Message,
    Provider,
    SystemPrompt,
    Usage,
    rate,
)
from tests.factories import make_group, make_model, make_price, make_turn, make_user

LONG_COLUMNS = ('"text"', '"reasoning"', '"system_prompt"', '"error_detail"', '"error_sentence"')


def make_rows(count: int) -> None:
    for _ in range(count):
        model = make_model()
        Budget.objects.create(group=make_group(), token_limit=1)
        Budget.objects.create(person=make_user(), token_limit=1)
        BudgetPeriod.objects.create(budget=Budget.objects.latest("pk"), starts_on=date(2026, 1, 1))
        turn = make_turn(model=model)
        usage = Usage(generation=turn.generation)
        usage.take_prices(model)
        usage.save()
        rate(turn.answer, -1, "It was wrong.")
        SystemPrompt.objects.create(name=str(uuid.uuid4())).add_version("Be kind.")


def queries_of(browser: Client, model: type[Model], **lookups: Any) -> list[str]:
    url = reverse(f"admin:conversations_{model._meta.model_name}_changelist")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert browser.get(url, lookups).status_code == 200
    return [query["sql"] for query in queries]


@pytest.mark.parametrize(
    "model", [Provider, LanguageModel, SystemPrompt, Conversation, Message, Generation, Usage, Feedback, Budget, BudgetPeriod]
)
def test_a_longer_list_takes_no_more_queries(root: Client, model: type[Model]) -> None:
    make_rows(2)
    few = queries_of(root, model)
    make_rows(8)
    many = queries_of(root, model)
    # A filter's own choices and a list's own rows are each one query; the session and the user are two.
    assert len(many) <= len(few) <= 9, many


@pytest.mark.parametrize("model", [Conversation, Message, Generation, Usage, Feedback])
def test_a_list_of_the_record_reads_no_long_text(root: Client, model: type[Model]) -> None:
    make_rows(2)
    assert [query for query in queries_of(root, model) if any(column in query for column in LONG_COLUMNS)] == []


@pytest.mark.parametrize(
    ("model", "search"),
    [(Conversation, "blue"), (Feedback, "wrong"), (Message, "1"), (Generation, "x"), (Usage, "1"), (Provider, "x"), (SystemPrompt, "x")],
)
def test_every_list_can_be_searched(root: Client, model: type[Model], search: str) -> None:
    make_rows(1)
    queries_of(root, model, q=search)


def test_generations_are_filtered_by_status_error_and_model(root: Client) -> None:
    failed = make_turn().generation
    make_turn()
    Generation.objects.filter(pk=failed.pk).update(status="failed", error_code="unauthorised")
    url = reverse("admin:conversations_generation_changelist")
    by_model = {"model__id__exact": failed.model_id}
    filters: list[dict[str, Any]] = [{"status__exact": "failed"}, {"error": "any"}, {"error": "unauthorised"}, by_model]
    for lookups in filters:
        shown = root.get(url, lookups).context["cl"].result_list
        assert [generation.pk for generation in shown] == [failed.pk], lookups
    assert list(root.get(url, {"error": "refused"}).context["cl"].result_list) == []


def test_the_filter_by_error_offers_each_error_in_words(root: Client) -> None:
    body = root.get(reverse("admin:conversations_generation_changelist")).content.decode()
    assert "Too many requests</a>" in body
    assert "rate_limited</a>" not in body


def test_no_list_names_an_error_by_its_code(root: Client) -> None:
    make_rows(1)
    for code in error_codes():
        Generation.objects.update(status="failed", error_code=code)
        body = root.get(reverse("admin:conversations_generation_changelist")).content.decode()
        assert f'<td class="field-error">{in_words(code)}</td>' in body
        assert code in ERRORS


def test_prices_and_costs_end_with_their_last_digit(root: Client) -> None:
    make_rows(1)
    make_price(LanguageModel.objects.get(), input_price="0.150000", output_price=20)
    Usage.objects.update(cost="0.000012300000")
    models, usage = (root.get(reverse(f"admin:conversations_{name}_changelist")).content.decode() for name in ("languagemodel", "usage"))
    assert '<td class="field-plain_input_price">0.15</td>' in models
    assert '<td class="field-plain_output_price">20</td>' in models
    assert '<td class="field-plain_cost">0.0000123</td>' in usage


def test_moments_are_shown_to_the_second(root: Client) -> None:
    make_rows(1)
    Generation.objects.update(queued_at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))
    for address in ("changelist", "change"):
        args = [] if address == "changelist" else [Generation.objects.get().pk]
        assert "2026-03-04 05:06:07" in root.get(reverse(f"admin:conversations_generation_{address}", args=args)).content.decode()


def test_a_key_cannot_be_guessed_through_the_address_of_a_list(root: Client) -> None:
    for lookup in ("api_key__startswith", "api_key", "api_key__regex"):
        url = reverse("admin:conversations_provider_changelist")
        assert root.get(url, {lookup: "g"}).status_code == 400

"""Money, exact to the last digit, and as it was at that moment."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from conversations.generation.ending import Outcome, account
from conversations.models import LanguageModel, Price, Status, Usage
from conversations.models.prices import Rates, cost_of, this_second
from conversations.providers.base import ChatMessage, ChatRequest, UsageReport
from tests.factories import make_model, make_turn

PRICES = st.decimals(0, 999_999, places=6)
TOKENS = st.integers(0, 2**31 - 1)


@given(st.builds(Rates, PRICES, PRICES, PRICES, PRICES), TOKENS, TOKENS, TOKENS, TOKENS)
def test_the_cost_is_exact(rates: Rates, fresh: int, cached: int, cache_write: int, output: int) -> None:
    tokens = UsageReport(fresh + cached + cache_write, output, cached_tokens=cached, cache_write_tokens=cache_write)
    pairs = zip((fresh, cached, cache_write, output), rates, strict=False)
    assert cost_of(tokens, rates) * 10**12 == sum(count * int(price * 10**6) for count, price in pairs)


def accounted(report: UsageReport | None, text: str = "", **outcome: object) -> Usage:
    turn = make_turn(model=make_model(input_price="2.5", cached_input_price="1.25", cache_write_price=3, output_price=10))
    assert turn.generation.claim("one")
    request = ChatRequest("m", [ChatMessage("user", "x" * 30)])
    account(turn.generation, Outcome(Status.COMPLETE, usage=report, request=request, **outcome), text, "")  # type: ignore[arg-type]
    return Usage.objects.get()


def test_cached_tokens_cost_their_own_price(db: None) -> None:
    usage = accounted(UsageReport(1000, 200, cached_tokens=600, reasoning_tokens=50))
    assert usage.cost == (400 * Decimal("2.5") + 600 * Decimal("1.25") + 200 * Decimal(10)) / 1_000_000
    assert (usage.reasoning_tokens, usage.is_estimated) == (50, False)


def test_what_is_written_into_a_cache_costs_its_own_price_and_is_not_counted_twice(db: None) -> None:
    usage = accounted(UsageReport(1000, 200, cached_tokens=600, cache_write_tokens=100))
    assert usage.cost == (300 * Decimal("2.5") + 600 * Decimal("1.25") + 100 * 3 + 200 * 10) / 1_000_000
    assert (usage.cache_write_tokens, usage.cache_write_price) == (100, 3)


def test_a_provider_that_counts_more_cached_than_read_is_not_believed(db: None) -> None:
    usage = accounted(UsageReport(100, 0, cached_tokens=600, cache_write_tokens=7))
    assert (usage.cached_tokens, usage.cache_write_tokens) == (100, 0)
    assert usage.cost == Decimal("0.000125")


def test_where_the_model_was_never_reached_nothing_is_billed(db: None) -> None:
    usage = accounted(None, reached_model=False)
    assert (usage.input_tokens, usage.output_tokens, usage.cost, usage.is_estimated) == (0, 0, 0, True)


def test_without_a_count_the_text_is_estimated(db: None) -> None:
    usage = accounted(None, "y" * 30)
    assert (usage.input_tokens, usage.output_tokens, usage.is_estimated) == (16, 8, True)


def test_a_later_price_changes_nothing(db: None) -> None:
    usage = accounted(UsageReport(1000, 0))
    before = usage.cost
    Price.objects.create(model=LanguageModel.objects.get(), valid_from=this_second(), input_price=99, output_price=99)
    assert Usage.objects.get().cost == before == Decimal("0.0025")


def test_the_ledger_outlives_the_conversation_and_the_model(db: None) -> None:
    usage = accounted(UsageReport(1000, 0))
    assert usage.generation is not None
    usage.generation.message.conversation.delete()
    LanguageModel.objects.all().delete()
    kept = Usage.objects.get()
    assert (kept.cost, kept.generation, kept.model, kept.model_name) == (usage.cost, None, None, usage.model_name)


def test_an_attempt_is_accounted_for_once(db: None) -> None:
    usage = accounted(UsageReport(1, 1))
    usage.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        usage.save()

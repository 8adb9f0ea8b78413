"""What stands under an answer: the quiet row, and what was cut."""

from decimal import Decimal

import pytest

from conversations.models import Generation, Message, Status, Usage
from conversations.models.prices import KINDS, UNKNOWN, Rates
from conversations.rendering.answers import Answer, cost_text, dollars
from conversations.rendering.fragments import footer
from tests.factories import make_turn


def usage(price: str | None, cost: str) -> Usage:
    prices = Rates(Decimal(price)) if price else UNKNOWN
    return Usage(**dict(zip(KINDS, prices, strict=False)), is_priced=prices.is_known, cost=Decimal(cost))


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0.00"),
        ("0.0000012", "$0.0000012"),
        ("0.00123456", "$0.0012"),
        ("0.0099", "$0.0099"),
        ("0.01", "$0.01"),
        ("1.2345", "$1.23"),
        ("0.000000000001", "< $0.0000001"),
    ],
)
def test_small_amounts_keep_two_digits(amount: str, text: str) -> None:
    assert dollars(Decimal(amount)) == text


def test_a_price_of_zero_is_free() -> None:
    assert cost_text([usage("0", "0")]) == "free"


def test_what_has_no_price_is_not_called_free() -> None:
    assert cost_text([usage("0", "0"), usage(None, "0")]) == "no price set"


def test_all_attempts_count() -> None:
    assert cost_text([usage("1", "0.02"), usage("1", "0.03")]) == "$0.05"


def footer_of(**fields: object) -> str:
    turn = make_turn()
    Generation.objects.update(**{"status": Status.COMPLETE} | fields)
    return footer(Answer(Message.objects.shown().get(pk=turn.answer.pk)))


@pytest.mark.parametrize(
    ("reason", "is_cut_off"), [("length", True), ("MAX_TOKENS", True), ("max_output_tokens", True), ("stop", False), ("", False)]
)
def test_an_answer_that_was_cut_at_the_output_limit_says_so(db: None, reason: str, is_cut_off: bool) -> None:
    assert ("output limit" in footer_of(finish_reason=reason)) == is_cut_off


@pytest.mark.parametrize(("reason", "is_refused"), [("content_filter", True), ("refusal", True), ("end_turn", False), ("", False)])
def test_an_answer_that_was_refused_says_so(db: None, reason: str, is_refused: bool) -> None:
    assert ("refused to say more" in footer_of(finish_reason=reason)) == is_refused
    assert "refused to say more" not in footer_of(finish_reason=reason, status=Status.FAILED)


def test_a_stop_while_queued_reads_as_any_other_stop(db: None) -> None:
    turn = make_turn()
    assert turn.generation.request_stop()
    assert "You stopped this answer." in footer(Answer(Message.objects.shown().get(pk=turn.answer.pk)))


@pytest.mark.parametrize(("reasoning", "sentence"), [("I wonder.", "ended after its reasoning"), ("", "ended its answer without a word")])
def test_an_answer_of_nothing_says_so_also_after_reasoning(db: None, reasoning: str, sentence: str) -> None:
    turn = make_turn()
    Generation.objects.update(status=Status.COMPLETE)
    Message.objects.filter(pk=turn.answer.pk).update(reasoning=reasoning)
    assert sentence in footer(Answer(Message.objects.shown().get(pk=turn.answer.pk)))

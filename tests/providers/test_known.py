"""What the data says is taken over to the last digit, and what it cannot say for us is unknown. Its prices are not ours to test."""

import socket
from decimal import Decimal

import pytest
from genai_prices.data_snapshot import get_snapshot

from conversations.models import Price
from conversations.models.prices import KINDS
from conversations.providers.known import Known, known_of

OPENAI, DEEPSEEK, GEMINI = (
    "https://api.openai.com/v1",
    "https://api.deepseek.com",
    "https://generativelanguage.googleapis.com/v1beta/openai",
)


def test_a_well_known_model_has_a_window_and_prices_with_their_source() -> None:
    known = known_of(OPENAI, "gpt-4o-mini")
    assert known.context_window == 128_000
    assert known.prices.keys() >= {"input_price", "output_price"}
    assert known.prices.keys() <= set(KINDS)
    assert all(isinstance(amount, Decimal) and amount > 0 for amount in known.prices.values())
    assert known.source.startswith("genai-prices ")


@pytest.mark.parametrize(
    ("url", "model_id"),
    [(OPENAI, "no-such-model-7b"), ("http://127.0.0.1:11434/v1", "gpt-4o"), ("", "gpt-4o"), (OPENAI, ""), (OPENAI, "\0")],
)
def test_nothing_is_known_of_a_stranger(url: str, model_id: str) -> None:
    assert known_of(url, model_id) == Known()


def test_a_price_that_changes_with_the_time_of_day_is_unknown() -> None:
    assert known_of(DEEPSEEK, "deepseek-chat").prices == {}


def test_a_price_that_rises_with_the_length_is_that_of_the_first_tier_and_says_so() -> None:
    assert "up to 200,000 tokens of input" in known_of(GEMINI, "gemini-2.5-pro").source


def test_what_is_known_fits_our_columns() -> None:
    [openai] = [provider for provider in get_snapshot().providers if provider.id == "openai"]
    for model in openai.models:
        prices = known_of(OPENAI, model.id).prices
        Price(**prices).clean_fields(exclude=["model", "valid_from", *(set(KINDS) - prices.keys())])


def test_no_connection_is_opened_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert known_of(OPENAI, "gpt-4o").prices

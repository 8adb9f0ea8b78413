"""What OpenAI's clients are told of how an answer ended, whatever its provider called that."""

import pytest
from django.contrib.auth.models import User

from conversations.eventstream.completions import finish_reason_of
from conversations.generation.allowance import CODE, SPENT
from conversations.generation.calls import Call
from conversations.generation.orders import order_of
from conversations.models import ApiToken, LanguageModel, Status


@pytest.fixture
def call() -> Call:
    return Call(order_of(User(), ApiToken(), LanguageModel(model_id="a-model"), "", [("user", "Why?")], {}))


@pytest.mark.parametrize(
    ("named", "told"),
    [
        *((reason, "stop") for reason in ("", "stop", "end_turn", "completed")),
        *((reason, "length") for reason in ("length", "MAX_TOKENS", "max_output_tokens")),
        *((reason, "content_filter") for reason in ("content_filter", "refusal", "Content_Filter")),
    ],
)
def test_each_word_of_a_provider_is_one_of_openais(call: Call, named: str, told: str) -> None:
    call.outcome.finish_reason = named
    assert finish_reason_of(call) == told


def test_an_answer_that_ends_where_its_budget_does_has_reached_a_length(call: Call) -> None:
    call.outcome.break_off(Status.STOPPED, SPENT, CODE)
    assert finish_reason_of(call) == "length"

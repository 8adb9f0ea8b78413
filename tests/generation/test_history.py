"""What goes upstream: the shown path, whole turns, as much as fits, and the system prompt in its own place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.generation.estimates import likely_tokens, messages_tokens
from conversations.generation.history import assignment_of, trim, turns_of
from conversations.models import Conversation, Generation, LanguageModel, Message, Role, Status, SystemPrompt, Turn, retry
from conversations.models.limits import TOKENS_PER_MESSAGE, estimated_tokens
from conversations.providers.base import ChatMessage
from tests.factories import make_conversation, make_model, make_provider, make_turn, make_user


def finish(turn: Turn, text: str) -> Turn:
    Generation.objects.filter(pk=turn.generation.pk).update(status=Status.COMPLETE)
    Message.objects.filter(pk=turn.answer.pk).update(text=text)
    turn.answer.refresh_from_db()
    return turn


def sent(turn: Turn) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in assignment_of(turn.generation).request.messages]


def test_the_whole_path_goes_upstream_in_order(db: None) -> None:
    first = finish(make_turn(prompt="one"), "first")
    second = make_turn(first.conversation, "two")
    assert sent(second) == [("user", "one"), ("assistant", "first"), ("user", "two")]


def test_a_retry_sends_the_prompt_without_the_answer_beside_it(db: None) -> None:
    first = finish(make_turn(prompt="one"), "a bad answer")
    assert sent(retry(first.answer, first.answer.generation.model)) == [("user", "one")]  # type: ignore[arg-type]


def test_the_other_branches_stay_behind(db: None) -> None:
    first = finish(make_turn(prompt="one"), "a bad answer")
    again = finish(retry(first.answer, make_model()), "a good answer")
    third = make_turn(again.conversation, "two")
    assert sent(third) == [("user", "one"), ("assistant", "a good answer"), ("user", "two")]


def test_an_answer_that_never_got_any_text_is_left_out_and_a_partial_one_is_not(db: None) -> None:
    failed = finish(make_turn(prompt="one"), "")
    partial = finish(make_turn(failed.conversation, "two"), "half of")
    assert sent(make_turn(partial.conversation, "three")) == [
        ("user", "one"),
        ("user", "two"),
        ("assistant", "half of"),
        ("user", "three"),
    ]


def test_the_system_prompt_is_no_message_and_stays_what_it_was(db: None) -> None:
    prompt = SystemPrompt.objects.create(name="Kind", is_default=True)
    prompt.add_version("Be kind.")
    first = finish(make_turn(prompt="one"), "first")
    prompt.add_version("Be harsh.")
    second = make_turn(first.conversation, "two")
    assert assignment_of(second.generation).request.system_prompt == "Be kind."
    assert assignment_of(make_turn().generation).request.system_prompt == "Be harsh."
    assert not Message.objects.exclude(role__in=Role).exists()
    assert all(role in {"user", "assistant"} for role, _ in sent(second))


def test_parameters_and_limits_are_the_models(db: None) -> None:
    model = make_model(parameters={"temperature": 0.1, "max_tokens": 7}, max_output_tokens=99)
    assert assignment_of(make_turn(model=model).generation).request.parameters == {"temperature": 0.1, "max_tokens": 7}
    model = make_model(max_output_tokens=99)
    request = assignment_of(make_turn(model=model).generation).request
    assert request.parameters == {"max_tokens": 99}
    assert request.model_id == model.model_id
    assert LanguageModel.objects.get(pk=model.pk).parameters == {}


def test_the_endpoint_is_the_providers_with_the_key_of_the_environment_first(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = make_provider(base_url="http://x/v1", api_key="sk-kept", api_key_variable="A_KEY", idle_timeout=7)
    turn = make_turn(model=make_model(provider))
    monkeypatch.setenv("A_KEY", "sk-environment")
    endpoint = assignment_of(turn.generation).endpoint
    assert (endpoint.api_key, endpoint.base_url, endpoint.idle_timeout) == ("sk-environment", "http://x/v1", 7)
    assert "sk-environment" not in repr(endpoint)


def make_long_conversation(turns: int, window: int) -> tuple[Conversation, Turn]:
    model = make_model(context_window=window)
    conversation = make_conversation(make_user(), model=model)
    for number in range(turns):
        finish(make_turn(conversation, f"{number} " + "x" * 88), "y" * 90)  # 38 tokens each, 76 a turn
        conversation.refresh_from_db()
    return conversation, make_turn(conversation, "z" * 90)


def test_what_does_not_fit_is_left_out_by_whole_turns_oldest_first(db: None) -> None:
    _, turn = make_long_conversation(10, window=512)  # 384 for the prompt: 38 + 4 x 76 = 342
    assignment = assignment_of(turn.generation)
    assert assignment.trimmed_turns == 6
    assert [message.text.split()[0] for message in assignment.request.messages if message.role == "user"][:-1] == ["6", "7", "8", "9"]
    assert [message.role for message in assignment.request.messages] == ["user", "assistant"] * 4 + ["user"]


def test_nothing_is_left_out_where_all_fits(db: None) -> None:
    _, turn = make_long_conversation(4, window=512)
    assert assignment_of(turn.generation).trimmed_turns == 0


def test_the_prompt_goes_upstream_even_where_it_alone_is_too_long(db: None) -> None:
    turn = make_turn(prompt="x" * 100_000, model=make_model(context_window=256))
    assert len(assignment_of(turn.generation).request.messages) == 1


TURNS = st.lists(st.integers(0, 300), min_size=1, max_size=12).map(lambda sizes: [[ChatMessage("user", "x" * size)] for size in sizes])


@given(TURNS, st.integers(-100, 2000))
def test_trimming_keeps_the_newest_turns_and_as_many_as_fit(turns: list[list[ChatMessage]], budget: int) -> None:
    kept, trimmed = trim(turns, budget)
    assert turns == turns[:trimmed] + kept
    assert kept
    if len(kept) > 1:
        assert sum(map(messages_tokens, kept)) <= budget
    if trimmed:
        assert sum(map(messages_tokens, turns[trimmed - 1 :])) > budget


@given(st.text())
def test_an_estimate_is_never_too_small_by_much_and_never_fails(text: str) -> None:
    assert estimated_tokens(text) * 3 >= len(text.encode("utf-8", "replace"))


def test_an_estimate_takes_what_is_no_text() -> None:
    assert estimated_tokens("") == 0
    assert estimated_tokens("\ud800") == 1
    assert TOKENS_PER_MESSAGE > 0


def test_an_answer_first_in_the_path_is_passed_over() -> None:
    assert turns_of([(Role.ASSISTANT, "hi", None), (Role.USER, "one", None)]) == [[ChatMessage("user", "one")]]


def test_the_ledger_estimates_what_is_likely() -> None:
    assert likely_tokens("") == 0
    assert likely_tokens("a" * 400) == 100
    assert likely_tokens("日" * 300) == 200
    assert likely_tokens("\ud800") == 1

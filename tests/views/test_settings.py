"""The settings of a conversation: what a person sets goes upstream from the next turn on, what is wrong is refused in words."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from conversations.forms.wishes import SettingsForm
from conversations.generation.history import assignment_of
from conversations.models import Conversation, FormerSettings, Generation, LanguageModel, Preferences, SystemPrompt
from tests.factories import make_conversation, make_model, make_turn

from .sending import HTMX, JSON, START, finish, send

EVERYTHING = {"temperature": 0.3, "top_p": 0.9, "max_tokens": 300, "reasoning_effort": "low"}


def url_of(conversation: Conversation) -> str:
    return reverse("conversation_settings", args=[conversation.pk])


def kept() -> tuple[str, dict[str, Any]]:
    conversation = Conversation.objects.get()
    return conversation.system_prompt, conversation.parameters


@pytest.fixture
def kind(db: None) -> SystemPrompt:
    prompt = SystemPrompt.objects.create(name="Kind", is_default=True)
    prompt.add_version("Be kind.")
    return prompt


@pytest.mark.parametrize("headers", [{}, HTMX, JSON], ids=["page", "htmx", "program"])
def test_what_is_set_goes_upstream_from_the_next_turn_on(alice: User, alices: Client, headers: dict[str, str]) -> None:
    model = make_model(supports_reasoning=True, parameters={"temperature": 1, "seed": 7}, max_output_tokens=200)
    first = finish(make_turn(owner=alice, model=model))
    before = assignment_of(first.generation).request
    response = alices.post(url_of(first.conversation), {"system_prompt": "Be brief.\r\nBe kind.", **EVERYTHING}, headers=headers)
    assert response.status_code == (200 if headers else 302)
    second = make_turn(Conversation.objects.get(), "and now?")
    request = assignment_of(second.generation).request
    assert (before.system_prompt, before.parameters) == ("", {"temperature": 1, "seed": 7, "max_tokens": 200})
    assert request.system_prompt == "Be brief.\nBe kind."
    assert request.parameters == {"temperature": 0.3, "seed": 7, "top_p": 0.9, "max_tokens": 200, "reasoning_effort": "low"}


def test_a_program_reads_and_sets_numbers_as_numbers(alice: User, alices: Client) -> None:
    url = url_of(make_conversation(alice))
    reply = alices.post(url, {"system_prompt": "x", **EVERYTHING}, content_type="application/json", headers=JSON)
    assert reply.json() == alices.get(url, headers=JSON).json() == {"system_prompt": "x", "parameters": EVERYTHING}


def test_reasoning_effort_goes_only_to_models_that_reason(model: LanguageModel, alice: User) -> None:
    conversation = make_conversation(alice, model=model, parameters=EVERYTHING)
    assert "reasoning_effort" not in assignment_of(make_turn(conversation).generation).request.parameters


def test_the_longest_answer_goes_under_the_name_that_staff_gave_it(alice: User) -> None:
    model = make_model(parameters={"max_completion_tokens": 50})
    conversation = make_conversation(alice, model=model, parameters={"max_tokens": 300})
    assert assignment_of(make_turn(conversation).generation).request.parameters == {"max_completion_tokens": 300}


@pytest.mark.parametrize(
    ("field", "value"),
    [(field, value) for field in ("temperature", "top_p", "max_tokens") for value in ("-1", "nan", "inf", "lots", "1e400", "9" * 400, "\0")]
    + [("temperature", "2.1"), ("top_p", "1.01"), ("max_tokens", "0"), ("max_tokens", "1.5"), ("reasoning_effort", "frantic")]
    + [("system_prompt", "x" * 50_001), ("system_prompt", "a\0b"), ("library", "99999"), ("library", "-1"), ("library", "9" * 40)],
    ids=lambda value: ascii(value)[:20],
)
def test_a_bad_value_is_refused_in_words_and_changes_nothing(
    alice: User, alices: Client, model: LanguageModel, field: str, value: str
) -> None:
    conversation = make_conversation(alice, system_prompt="As it was", parameters={"temperature": 1})
    fields = {"library": "own", "system_prompt": "New", field: value}
    for headers in ({}, HTMX, JSON):
        response = alices.post(url_of(conversation), fields, headers=headers)
        assert response.status_code == 422
    sentence = response.json()["error"]["message"]
    assert re.search(r"[a-z .]+\.$", sentence)
    assert kept() == ("As it was", {"temperature": 1})
    begun = alices.post(START, {"prompt": "hello", "model": model.pk, **fields})
    assert begun.status_code == 422
    assert begun.context["composer"].text == "hello"
    assert begun.context["composer"].error == sentence
    assert Conversation.objects.count() == 1


@pytest.mark.parametrize("field", ["temperature", "top_p", "max_tokens"])
@pytest.mark.parametrize("value", [10**400, -(10**400), True, [1], {"a": 1}], ids=lambda value: str(value)[:8])
def test_json_of_any_kind_in_the_place_of_a_number_is_no_fault_of_ours(alices: Client, alice: User, field: str, value: Any) -> None:
    url = url_of(make_conversation(alice))
    response = alices.post(url, {field: value}, content_type="application/json", headers=JSON)
    assert response.status_code < 500
    form = SettingsForm({field: 10**400})
    assert not form.is_valid()
    assert "Empty is the model" in form.errors[field][0]


def test_what_was_typed_stays_in_a_refused_form_as_text(alice: User, alices: Client) -> None:
    url = url_of(make_conversation(alice))
    page = alices.post(url, {"library": "own", "system_prompt": "</textarea><script>", "temperature": '"><b>'}).content.decode()
    assert "</textarea><script>" not in page
    assert "&lt;script&gt;" in page
    assert '"><b>' not in page


@pytest.mark.parametrize("written", ["0.5", "0,5", " .5 "])
def test_a_decimal_comma_is_understood(alice: User, alices: Client, written: str) -> None:
    alices.post(url_of(make_conversation(alice)), {"temperature": written})
    assert kept()[1] == {"temperature": 0.5}


def test_empty_is_the_models_own(alice: User, alices: Client) -> None:
    conversation = make_conversation(alice, system_prompt="Old", parameters=EVERYTHING)
    fields = dict.fromkeys(EVERYTHING, "") | {"library": "own", "system_prompt": ""}
    alices.post(url_of(conversation), fields)
    assert kept() == ("", {})


def test_a_prompt_of_the_library_is_taken_with_its_newest_text(alice: User, alices: Client, kind: SystemPrompt) -> None:
    kind.add_version("Be very kind.")
    alices.post(url_of(make_conversation(alice)), {"library": kind.pk, "system_prompt": "not this"})
    assert kept()[0] == "Be very kind."


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "Be kind.\n\nAnswer in rhymes."),
        ({"library": "default", "system_prompt": "left over"}, "Be kind.\n\nAnswer in rhymes."),
        ({"library": "own", "system_prompt": "Mine."}, "Mine.\n\nAnswer in rhymes."),
        ({"system_prompt": "Mine."}, "Mine.\n\nAnswer in rhymes."),
        ({"library": "own", "system_prompt": ""}, "Answer in rhymes."),
    ],
    ids=str,
)
def test_a_new_chat_begins_with_what_its_panel_says_and_the_instructions(
    alice: User, alices: Client, model: LanguageModel, kind: SystemPrompt, fields: dict[str, str], text: str
) -> None:
    Preferences.objects.create(person=alice, instructions="Answer in rhymes.")
    alices.post(START, {"prompt": "hello", "model": model.pk, "temperature": "0.2", **fields})
    assert kept() == (text, {"temperature": 0.2})


def test_nobody_elses_instructions_are_followed(alice: User, bob: User, alices: Client, model: LanguageModel) -> None:
    Preferences.objects.create(person=bob, instructions="Answer bob.")
    send(alices, START, "hello", model)
    assert kept() == ("", {})


def test_what_was_in_effect_stays_readable_where_an_answer_was_written_under_it(alice: User, alices: Client) -> None:
    turn = finish(make_turn(owner=alice))
    url = url_of(turn.conversation)
    for text in ("First <b>", "Second", "Second", "Third"):
        alices.post(url, {"library": "own", "system_prompt": text, "temperature": "1"})
    assert [(former.system_prompt, former.parameters) for former in FormerSettings.objects.all()] == [("", {})]
    make_turn(Conversation.objects.get(), "and now?")
    Generation.objects.update(status="complete")
    alices.post(url, {"library": "own", "system_prompt": "Fourth"})
    page = alices.get(url).content.decode()
    assert "Third" in page
    assert "temperature 1.0" in page
    assert "Second" not in page


def test_the_panel_of_a_conversation_shows_what_is_in_effect(alice: User, alices: Client, kind: SystemPrompt) -> None:
    make_model(supports_reasoning=True)
    url = url_of(make_conversation(alice, system_prompt="Be <brief>.", parameters=EVERYTHING))
    for headers in ({}, HTMX):
        page = alices.get(url, headers=headers).content.decode()
        assert "Be &lt;brief&gt;." in page
        assert 'value="0.3"' in page
        assert 'value="300"' in page
        assert '<option value="low" selected>' in page
        assert "Kind" in page


def test_the_settings_of_a_deleted_conversation_are_gone(alice: User, alices: Client) -> None:
    conversation = make_conversation(alice)
    conversation.soft_delete()
    assert alices.post(url_of(conversation), {"system_prompt": "x"}).status_code == 404
    assert kept()[0] == ""


@pytest.mark.parametrize("place", ["/settings", "/prompts"])
def test_the_pages_of_settings_stand_beside_the_sidebar(alice: User, alices: Client, place: str) -> None:
    conversation = make_conversation(alice)
    for url in (place, url_of(conversation)):
        assert '<nav id="sidebar"' in alices.get(url).content.decode()
    assert f'hx-post="{url_of(conversation)}"' not in alices.get(url_of(conversation)).content.decode()  # there is no panel there


def test_a_refused_setting_is_where_one_goes_on(alice: User, alices: Client) -> None:
    url = url_of(make_conversation(alice))
    begin = re.compile(r'name="(\w+)"[^>]*? autofocus')
    assert begin.findall(alices.get(url, headers=HTMX).content.decode()) == ["library"]
    assert begin.findall(alices.post(url, {"temperature": "9"}, headers=HTMX).content.decode()) == ["temperature"]

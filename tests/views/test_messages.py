"""Prompts that people send: what begins a turn, what is refused with a sentence, and what is never half-made."""

import uuid

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from conversations.models import Conversation, Generation, LanguageModel, Message, Status
from tests.factories import make_conversation, make_model, make_provider, make_turn

from .sending import HTMX, JSON, START, finish, rows, send

BLANK = ["", "   \n\t ", "\r\n\r\n", "\u00a0\u2003", "\u200b", "\ufeff \u2060", "\ufe0f\u200d", "\U000e0101\u00ad", "\u3164", "\u2800\x1b"]
HOPELESS = [*BLANK, "hello\0world", "x" * 1_000_001]


@pytest.mark.parametrize("prompt", HOPELESS, ids=lambda prompt: repr(prompt[:12]))
@pytest.mark.parametrize("where", ["new", "old"])
def test_a_prompt_that_is_none_is_refused_with_a_sentence_and_stays(
    alice: User, alices: Client, model: LanguageModel, prompt: str, where: str
) -> None:
    url = START if where == "new" else reverse("start_turn", args=[make_conversation(alice, model=model).pk])
    before = rows()
    for headers in ({}, HTMX, JSON):
        response = send(alices, url, prompt, model, headers=headers)
        assert response.status_code == 422
        assert rows() == before
    page = send(alices, url, prompt, model)
    assert page.context["composer"].text == prompt
    assert page.context["composer"].error.endswith((".", "again."))
    assert page.context["composer"].selected == model.pk


@pytest.mark.parametrize("prompt", BLANK, ids=ascii)
def test_a_prompt_in_which_nothing_can_be_seen_is_blank(alices: Client, model: LanguageModel, prompt: str) -> None:
    response = send(alices, START, prompt, model, headers=JSON)
    assert response.json()["error"]["message"] == "Write a message first."


@pytest.mark.parametrize("prompt", ["\u200bx", "\u2764\ufe0f", "\u0301", "."], ids=ascii)
def test_a_prompt_in_which_anything_can_be_seen_is_taken_as_it_is(alices: Client, model: LanguageModel, prompt: str) -> None:
    assert send(alices, START, prompt, model).status_code == 302
    assert Message.objects.get(role="user").text == prompt


def test_a_turn_asks_seven_questions_and_writes_four_rows(
    alice: User, alices: Client, model: LanguageModel, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    url = reverse("start_turn", args=[make_conversation(alice, model=model).pk])
    with django_assert_num_queries(13):  # and the two that begin and end a transaction
        assert send(alices, url, "hello", model, headers=HTMX).status_code == 200


def test_a_refused_prompt_stays_in_the_box_letter_by_letter(alices: Client, model: LanguageModel) -> None:
    text = "\n\n  </textarea><script>alert(1)</script> & \0 more\n"
    page = send(alices, START, text, model)
    assert page.status_code == 422
    assert "</textarea><script>" not in page.content.decode()
    assert page.context["composer"].text == text


def test_a_refused_prompt_keeps_the_model_that_was_picked(alices: Client, model: LanguageModel) -> None:
    other = make_model()
    assert send(alices, START, "", other).context["composer"].selected == other.pk


@pytest.mark.parametrize("broken", ['"\\ud800"', '"half \\udc00 pair"', '"nul \\u0000"'])
def test_broken_unicode_from_a_program_is_a_422(alices: Client, model: LanguageModel, broken: str) -> None:
    body = f'{{"prompt": {broken}, "model": {model.pk}}}'
    response = alices.post(START, body, content_type="application/json", headers=JSON)
    assert response.status_code == 422
    assert "not text" in response.json()["error"]["message"]
    assert rows() == (0, 0, 0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"prompt": null}',
        b'{"prompt": ["a"]}',
        b'{"prompt": {"text": "a"}}',
        b'{"prompt": true}',
        b'{"prompt": 1.5}',
        b'{"prompt": "hi", "model": "everything"}',
        b'{"prompt": "hi", "model": -1}',
        b'{"prompt": "hi", "model": 1e400}',
        b'{"prompt": "hi", "model": 1000000000000000000000000000000}',
        b'{"prompt": "hi", "request_key": "not a key"}',
        b'{"prompt": "hi", "model": 1.5}',
        b'{"prompt": "hi", "model": []}',
        b'{"prompt": "hi", "request_key": 5}',
    ],
    ids=lambda body: repr(body[:40]),
)
def test_json_that_is_not_a_prompt_is_a_422(alices: Client, model: LanguageModel, body: bytes) -> None:
    response = alices.post(START, body, content_type="application/json", headers=JSON)
    assert response.status_code == 422, response.content
    assert response.json()["error"]["message"]
    assert rows() == (0, 0, 0)


@pytest.mark.parametrize(
    ("body", "kind"),
    [(body, "application/json") for body in (b"{", b"[]", b"null", b"7", b'"prompt"', b"\xff\xfe{", b"[" * 100_000, b"prompt=hello")]
    + [(b'{"prompt": "hello"}', "text/plain"), (b"<prompt/>", "application/xml")],
    ids=lambda value: repr(value[:20]),
)
def test_a_body_that_is_no_json_object_is_a_400_that_says_so(alices: Client, model: LanguageModel, body: bytes, kind: str) -> None:
    response = alices.post(START, body, content_type=kind, headers=JSON)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "not_json"
    assert "JSON object" in response.json()["error"]["message"]
    assert "JSON object" in alices.post(START, body, content_type=kind).content.decode()
    assert rows() == (0, 0, 0)


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_a_body_larger_than_the_site_takes_is_refused_with_a_sentence(alices: Client, model: LanguageModel, kind: str) -> None:
    body = b"prompt=" + b"x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    for headers in ({}, HTMX, JSON):
        response = alices.post(START, body, content_type=kind, headers=headers)
        assert response.status_code == 413
        assert "too large to send" in response.content.decode()
    assert response.json()["error"]["code"] == "too_large"
    assert rows() == (0, 0, 0)


@pytest.mark.parametrize("headers", [{}, HTMX, JSON])
def test_a_form_with_too_many_fields_is_refused(alices: Client, model: LanguageModel, headers: dict[str, str]) -> None:
    response = alices.post(START, {f"field{number}": "x" for number in range(1200)}, headers=headers)
    assert response.status_code == 400
    assert "too many fields" in response.content.decode()
    assert b"Traceback" not in response.content


def test_html_in_a_prompt_is_shown_as_text(alice: User, alices: Client, model: LanguageModel) -> None:
    turn = make_turn(owner=alice, prompt="<script>alert(1)</script><img src=x onerror=y>", model=model)
    page = alices.get(reverse("conversation", args=[turn.conversation.pk])).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_a_prompt_begins_a_conversation_in_one_step(alice: User, alices: Client, model: LanguageModel) -> None:
    response = send(alices, START, "  Why is\nthe sky blue?\n", model)
    conversation = Conversation.objects.get()
    assert response.headers["Location"] == reverse("conversation", args=[conversation.pk])
    prompt, answer = conversation.messages.all()
    assert (conversation.owner, conversation.title, conversation.head) == (alice, "Why is", answer)
    assert (prompt.text, prompt.role) == ("  Why is\nthe sky blue?", "user")
    assert (answer.parent, answer.generation.status) == (prompt, Status.QUEUED)


def test_line_ends_of_a_browser_become_one_kind(alices: Client, model: LanguageModel) -> None:
    send(alices, START, "one\r\ntwo", model)
    assert Message.objects.earliest("pk").text == "one\ntwo"


def test_the_longest_prompt_is_taken_and_one_character_more_is_not(alices: Client, model: LanguageModel) -> None:
    longest = "é" * settings.PROMPT_MAX_CHARACTERS
    assert send(alices, START, longest + "é", model).status_code == 422
    assert send(alices, START, longest, model).status_code == 302
    assert Message.objects.earliest("pk").text == longest


@pytest.mark.parametrize("off", ["model", "provider"])
@pytest.mark.parametrize("headers", [{}, HTMX, JSON])
def test_a_model_that_was_switched_off_is_refused_with_a_sentence(
    alices: Client, model: LanguageModel, off: str, headers: dict[str, str]
) -> None:
    make_model()
    disabled = make_model(is_enabled=off != "model", provider=make_provider(is_enabled=off != "provider"))
    response = send(alices, START, "hello", disabled, headers=headers)
    assert response.status_code == 422
    assert "not available any more" in response.content.decode()
    assert rows() == (0, 0, 0)


def test_a_program_that_names_no_model_is_not_given_one_that_was_switched_off(alice: User, alices: Client) -> None:
    conversation = make_conversation(alice, model=make_model(is_enabled=False))
    make_model()
    response = alices.post(reverse("start_turn", args=[conversation.pk]), {"prompt": "hello"}, headers=JSON)
    assert response.status_code == 422
    assert "not available any more" in response.json()["error"]["message"]


@pytest.mark.parametrize("headers", [{}, HTMX, JSON])
def test_a_site_without_a_model_says_so(alices: Client, headers: dict[str, str]) -> None:
    response = alices.post(START, {"prompt": "my long thought"}, headers=headers)
    assert response.status_code == 422
    assert "No model is set up yet" in response.content.decode()
    assert rows() == (0, 0, 0)
    if not headers:
        assert "my long thought" in response.content.decode()


def test_home_without_a_model_says_whom_to_ask(alices: Client, carols: Client) -> None:
    assert "Ask the people who run this site" in alices.get("/").content.decode()
    assert "Add a provider and a model" in carols.get("/").content.decode()


def test_htmx_gets_the_turn_alone_and_a_fresh_key(alice: User, alices: Client, model: LanguageModel) -> None:
    turn, key = finish(make_turn(owner=alice, model=model)), uuid.uuid4()
    html = send(alices, reverse("start_turn", args=[turn.conversation.pk]), "next", model, key=key, headers=HTMX).content.decode()
    assert "<html" not in html
    assert 'data-status="queued"' in html
    assert 'id="request-key"' in html
    assert str(key) not in html


def test_a_program_gets_201_with_ids_and_addresses_that_work(alices: Client, model: LanguageModel) -> None:
    response = alices.post(START, {"prompt": "hello", "model": model.pk}, content_type="application/json", headers=JSON)
    assert response.status_code == 201
    body = response.json()
    assert body["events_url"] == f"/messages/{body['answer']}/events?format=json"
    assert Message.objects.get(pk=body["answer"]).parent_id == body["prompt"]
    assert Message.objects.get(pk=body["answer"]).conversation_id == body["conversation"]
    assert alices.get(body["url"]).status_code == 200
    assert alices.post(body["stop_url"], headers=JSON).status_code == 204
    assert Generation.objects.get(message=body["answer"]).status == Status.STOPPED


def test_format_json_asks_for_json_as_the_header_does(alices: Client, model: LanguageModel) -> None:
    assert alices.post(f"{START}?format=json", {"prompt": "hello", "model": model.pk}).status_code == 201
    assert alices.post(f"{START}?format=json", {"prompt": ""}).json()["error"]["code"] == "invalid"


def test_the_source_of_a_live_answer_is_its_journal(alice: User, alices: Client, model: LanguageModel) -> None:
    turn = make_turn(owner=alice, model=model)
    turn.generation.journal.create(position=1, kind="text_delta", data="half <b>of")
    turn.generation.journal.create(position=2, kind="text_delta", data=" it")
    response = alices.get(reverse("answer_source", args=[turn.answer.pk]))
    assert response.content.decode() == "half <b>of it"
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"

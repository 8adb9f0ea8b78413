"""A prompt that was not taken is in the page that answers, and can be sent from there: without a script, and never by itself."""

import re
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from conversations.models import Conversation, Feedback, LanguageModel, Message
from tests.factories import make_conversation, make_turn

from .sending import HTMX, START, finish, rows, send

HOSTILE = '\n\n  </textarea><script>alert(1)</script> & " more'


def fields_of(page: Any) -> dict[str, str]:
    """What the form of the page would send, as its context says; the page must hold the form."""
    assert "Send again</button>" in page.content.decode()
    unsent, token = page.context["unsent"], re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    assert token
    return {"prompt": unsent.text, "model": unsent.model, "request_key": unsent.request_key, "csrfmiddlewaretoken": token[1]}


@pytest.fixture
def stale(alice: User) -> Client:
    """Alice's browser, which has a token, but not the one of the page she sends from."""
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    browser.force_login(alice)
    browser.get("/")
    return browser


@pytest.mark.parametrize("where", ["new", "old"])
def test_a_prompt_sent_while_signed_out_is_shown_and_can_be_sent_after_logging_in(
    client: Client, alice: User, model: LanguageModel, where: str
) -> None:
    conversation = make_conversation(alice, model=model)
    back, url = ("/", START) if where == "new" else (f"/conversations/{conversation.pk}", reverse("start_turn", args=[conversation.pk]))
    before = rows()
    page: Any = send(client, url, HOSTILE, model)
    assert page.status_code == 401
    assert rows() == before
    assert f'href="{reverse("account_login")}?next={back}"' in page.content.decode()
    assert f'action="{url}"' in page.content.decode()
    client.force_login(alice)
    assert client.post(page.context["unsent"].action, fields_of(page)).status_code == 302
    assert Message.objects.earliest("pk").text == HOSTILE.strip("\n")


@pytest.mark.parametrize(("name", "field", "more"), [("rewrite_answer", "text", {}), ("feedback", "comment", {"rating": "-1"})])
def test_what_was_written_about_an_answer_while_signed_out_can_be_sent_after_logging_in(
    client: Client, alice: User, model: LanguageModel, name: str, field: str, more: dict[str, str]
) -> None:
    turn = finish(make_turn(owner=alice, model=model))
    url = reverse(name, args=[turn.answer.pk])
    page: Any = client.post(url, {field: HOSTILE, **more})
    assert page.status_code == 401
    assert f'href="{reverse("account_login")}?next={url}"' in page.content.decode()
    assert f'name="{field}"' in page.content.decode()
    assert "<script>" not in page.content.decode()
    client.force_login(alice)
    unsent = page.context["unsent"]
    assert unsent.beside == more
    assert client.post(unsent.action, {field: unsent.text, **unsent.beside}).status_code == 302
    written = Message.objects.latest("pk").text if field == "text" else Feedback.objects.get(rating=-1).comment
    assert written.strip() == HOSTILE.strip()


def test_what_a_new_chat_was_set_to_outlives_a_lost_session(client: Client, alice: User, model: LanguageModel) -> None:
    chosen = {"library": "own", "system_prompt": 'Be "brief".\n</form>', "temperature": "0.5", "max_tokens": "", "reasoning_effort": "low"}
    page: Any = client.post(START, {"prompt": "hello", "model": model.pk, **chosen})
    assert page.status_code == 401
    assert page.content.decode().count("</form>") == 1
    client.force_login(alice)
    assert client.post(START, fields_of(page) | page.context["unsent"].beside).status_code == 302
    conversation = Conversation.objects.get()
    assert conversation.system_prompt == chosen["system_prompt"]
    assert conversation.parameters == {"temperature": 0.5, "reasoning_effort": "low"}


def test_the_prompt_of_a_stranger_is_text_in_the_page(client: Client, db: None) -> None:
    page = client.post(START, {"prompt": HOSTILE, "model": '"><script>', "request_key": '"><script>'})
    assert page.status_code == 401
    assert "<script>" not in page.content.decode()
    assert page.content.decode().count("</textarea>") == 1


@pytest.mark.parametrize("path", ["/messages/1/stop", "/conversations/1/delete", START])
def test_without_a_prompt_a_form_sent_while_signed_out_leads_to_the_login(client: Client, db: None, path: str) -> None:
    response: Any = client.post(path, {"prompt": "  "} if path == START else {"prompt": "hello"})
    assert response.headers["Location"] == f"{reverse('account_login')}?next=/"


@pytest.mark.parametrize("where", ["new", "old"])
def test_a_prompt_with_an_old_token_is_shown_with_a_fresh_one_and_sent_from_there(
    stale: Client, alice: User, model: LanguageModel, where: str
) -> None:
    url = START if where == "new" else reverse("start_turn", args=[make_conversation(alice, model=model).pk])
    key = uuid.uuid4()
    fields = {"prompt": HOSTILE, "model": model.pk, "request_key": key, "csrfmiddlewaretoken": "x" * 32}
    page: Any = stale.post(url, fields)
    assert page.status_code == 403
    assert not Message.objects.exists()
    assert "<script>" not in page.content.decode()
    for _ in range(2):
        assert stale.post(page.context["unsent"].action, fields_of(page)).status_code == 302
    prompt = Message.objects.get(role="user")
    assert (prompt.text, prompt.request_key) == (HOSTILE.strip("\n"), key)


def test_a_prompt_without_any_token_is_kept_too(alice: User, model: LanguageModel) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    page: Any = send(browser, START, "hello", model)
    assert page.status_code == 403
    assert browser.post(START, fields_of(page)).status_code == 302


def test_what_another_site_sends_is_shown_but_cannot_be_sent_from_there(stale: Client, model: LanguageModel) -> None:
    page = send(stale, START, "send me money", model, headers={"Origin": "https://evil.example"})
    assert page.status_code == 403
    assert "send me money" in page.content.decode()
    assert "<form" not in page.content.decode()
    assert "csrfmiddlewaretoken" not in page.content.decode()


@pytest.mark.parametrize("path", ["/theme", "/accounts/logout/", "/conversations/1/delete"])
def test_only_what_takes_prompts_is_offered_one(stale: Client, model: LanguageModel, path: str) -> None:
    page = stale.post(path, {"prompt": "hello", "csrfmiddlewaretoken": "x" * 32})
    assert page.status_code == 403
    assert "hello" not in page.content.decode()


def test_htmx_is_given_the_token_of_today_for_every_form_of_the_page(stale: Client, alice: User, model: LanguageModel) -> None:
    url = reverse("start_turn", args=[make_conversation(alice, model=model).pk])
    fields = {"prompt": "hello", "model": model.pk, "csrfmiddlewaretoken": "x" * 32}
    told = stale.post(url, fields, headers=HTMX)
    assert told.status_code == 403
    assert 'hx-target="[name=csrfmiddlewaretoken]"' in told.content.decode()
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', told.content.decode())
    assert token
    assert stale.post(url, fields | {"csrfmiddlewaretoken": token[1]}, headers=HTMX).status_code == 200


def test_a_prompt_for_a_conversation_that_is_gone_can_be_copied(alices: Client, bob: User, model: LanguageModel) -> None:
    url = reverse("start_turn", args=[make_conversation(bob, model=model, title="a secret of bob").pk])
    page = send(alices, url, HOSTILE, model)
    assert page.status_code == 404
    assert "&lt;/textarea&gt;" in page.content.decode()
    assert "<script>" not in page.content.decode()
    assert "secret of bob" not in page.content.decode()
    assert Conversation.objects.count() == 1

"""Who asks and how: expired sessions, forged and stale forms, and the same sentence for a page, for htmx and for a program."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient, Client
from django.urls import reverse

from conversations.models import Conversation, Generation, LanguageModel, Message, Status
from tests.conftest import browser_of
from tests.factories import PASSWORD, make_turn

HTMX = {"HX-Request": "true"}
JSON = {"Accept": "application/json"}


def test_an_expired_session_sends_a_page_to_the_login_and_back(client: Client, db: None) -> None:
    response: Any = client.get("/conversations/5?x=1")
    assert response.headers["Location"] == f"{reverse('account_login')}?next=/conversations/5%3Fx%3D1"


def test_after_an_expired_post_the_login_leads_home_not_to_a_405(client: Client, alice: User) -> None:
    to_login: Any = client.post("/conversations")
    after: Any = client.post(to_login.headers["Location"], {"login": "alice", "password": PASSWORD})
    assert after.headers["Location"] == "/"


@pytest.mark.parametrize("path", ["/conversations", "/conversations/1/messages", "/messages/1/stop", "/messages/1/retry"])
def test_an_expired_session_is_told_in_place_to_htmx_and_to_programs(client: Client, db: None, path: str) -> None:
    htmx = client.post(path, {"prompt": "hello"}, headers=HTMX)
    assert htmx.status_code == 401
    assert "#composer-error" in htmx.content.decode()
    assert "your text is still here" in htmx.content.decode()
    program = client.post(path, {"prompt": "hello"}, headers=JSON)
    assert (program.status_code, program.json()["error"]["code"]) == (401, "signed_out")


async def test_a_stream_without_a_session_is_a_401_and_no_redirect(async_client: AsyncClient, db: None) -> None:
    for path in ("/messages/1/events", "/messages/1/events?format=json"):
        response = await async_client.get(path)
        assert response.status_code == 401
        assert "logged out" in response.content.decode()


def test_a_session_that_ends_in_the_middle_closes_the_doors(alice: User, alices: Client, model: LanguageModel) -> None:
    turn = make_turn(owner=alice, model=model)
    alices.logout()
    assert alices.get(reverse("answer_events", args=[turn.answer.pk])).status_code == 401
    assert alices.get(reverse("answer_source", args=[turn.answer.pk]), headers=JSON).status_code == 401
    assert alices.post(reverse("stop_answer", args=[turn.answer.pk])).status_code == 302
    assert Generation.objects.get().stop_requested_at is None


def test_a_person_who_was_deactivated_is_signed_out(alice: User, alices: Client) -> None:
    alice.is_active = False
    alice.save()
    assert alices.get("/").status_code == 302


@pytest.mark.parametrize("headers", [{}, HTMX, JSON])
@pytest.mark.parametrize("cookie", [True, False])
def test_a_forged_form_is_refused_with_a_sentence_and_changes_nothing(
    alice: User, model: LanguageModel, headers: dict[str, str], cookie: bool
) -> None:
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    browser.force_login(alice)
    if cookie:
        browser.get("/")
    fields = {"prompt": "hello", "model": model.pk, "csrfmiddlewaretoken": "x" * 32}
    for path in ("/conversations", "/theme", "/accounts/logout/"):
        response = browser.post(path, fields, headers=headers)
        assert response.status_code == 403
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]
        assert "send again" in response.content.decode() or "send it again" in response.content.decode()
    assert not Conversation.objects.exists()
    assert browser.get("/").status_code == 200


def test_a_form_that_is_not_forged_passes(alice: User, model: LanguageModel) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    token = browser.get("/").context["csrf_token"]
    fields = {"prompt": "hello", "model": model.pk, "csrfmiddlewaretoken": str(token)}
    assert browser.post("/conversations", fields).status_code == 302


def test_a_form_from_another_site_is_refused_even_with_a_token(alice: User, model: LanguageModel) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    token = browser.get("/").context["csrf_token"]
    fields = {"prompt": "hello", "model": model.pk, "csrfmiddlewaretoken": str(token)}
    assert browser.post("/conversations", fields, headers={"Origin": "https://evil.example"}).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "", "a b", "127.0.0.1,evil.example"])
def test_a_host_that_is_not_ours_is_a_400(alices: Client, host: str) -> None:
    response = alices.get("/", headers={"Host": host})
    assert response.status_code == 400
    assert b"Traceback" not in response.content


@pytest.mark.parametrize("accept", ["", "*/*", "text/html", "image/png", "garbage", "application/json;q=0.1, text/html", ";;;", "\x7f"])
def test_only_who_asks_for_json_gets_json(alices: Client, accept: str) -> None:
    assert alices.get("/", headers={"Accept": accept}).headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("name", ["stop_answer", "retry_answer"])
@pytest.mark.parametrize("headers", [{}, HTMX, JSON])
def test_stop_and_retry_answer_each_kind_of_client(
    alice: User, alices: Client, model: LanguageModel, name: str, headers: dict[str, str]
) -> None:
    turn = make_turn(owner=alice, model=model)
    if name == "retry_answer":
        Generation.objects.update(status=Status.FAILED)
    expected = {"stop_answer": (302, 204, 204), "retry_answer": (302, 200, 201)}[name][[{}, HTMX, JSON].index(headers)]
    assert alices.post(reverse(name, args=[turn.answer.pk]), headers=headers).status_code == expected
    assert Message.objects.count() == (3 if name == "retry_answer" else 2)


@pytest.mark.django_db(transaction=True)
async def test_a_finished_answer_streams_its_whole_and_ends(async_client: AsyncClient) -> None:
    turn = await sync_to_async(make_turn)()
    await Generation.objects.aupdate(status=Status.COMPLETE)
    await Message.objects.filter(pk=turn.answer.pk).aupdate(text="**all** of it")
    await async_client.aforce_login(turn.conversation.owner)
    for extra in ({}, {"Last-Event-ID": "9.9"}, {"Last-Event-ID": "garbage\x85"}):
        response: Any = await async_client.get(reverse("answer_events", args=[turn.answer.pk]), headers=extra)
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert "no-transform" in response.headers["Cache-Control"]
        body = b"".join([chunk async for chunk in response]).decode()
        assert "<strong>all</strong> of it" in body
        assert body.endswith("event: done\ndata: complete\n\n")


def test_two_people_in_two_browsers_see_their_own(alice: User, bob: User, model: LanguageModel) -> None:
    make_turn(owner=alice, model=model, prompt="a secret of alice")
    assert "a secret of alice" in browser_of(alice).get("/").content.decode()
    assert "a secret of alice" not in browser_of(bob).get("/").content.decode()

"""Programs that come with a token: what is open to them, for what scope, and that it is theirs alone."""

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse
from django.utils import timezone

from chatsite.bearer import secret_in
from conversations.models import ApiToken, Conversation, LanguageModel, Scope, make_token
from conversations.models.tokens import living_token
from conversations.views.events import still_signed_in
from tests.factories import make_turn, make_user

ALL = [Scope.READ, Scope.WRITE, Scope.CHAT]
JSON = "application/json"
# What docs/api.md offers; what is only done and never read is closed to GET, which would be a page with a form.
READ = {"answer_events", "answer_source", "answer_text", "conversation_settings"}
READ |= {"search", "export_conversation", "export_everything", "import"}
DONE = {"start_conversation", "start_turn", "rename_conversation", "delete_conversation", "restore_conversation", "fork_conversation"}
DONE |= {"stop_answer", "feedback", "retry_answer", "continue_answer", "rewrite_answer", "choose_message", "keep_answer"}
DONE |= {"edit_turn", "answer_turn", "delete_turn", "restore_turn", "select_conversations", "empty_trash"}
DONE |= {"start_import", "stop_import", "continue_import"}


class Program:
    """Asks with a token, and enforces what a browser's forms are asked for."""

    def __init__(self, authorization: str) -> None:
        self.client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        self.headers = {"Authorization": authorization}

    def get(self, path: str) -> Any:
        return self.client.get(path, headers=self.headers)

    def post(self, path: str, fields: dict[str, Any] | None = None) -> Any:
        return self.client.post(path, fields or {}, content_type=JSON, headers=self.headers)


def program_of(owner: User, *scopes: Scope) -> Program:
    _, secret = make_token(owner, "A script", list(scopes or ALL), None)
    return Program(f"Bearer {secret}")


@pytest.mark.postgresql
def test_a_program_begins_a_turn_and_reads_it_without_session_or_csrf_token(alice: User, model: LanguageModel) -> None:
    program = program_of(alice)
    response = program.post("/conversations", {"prompt": "Why is the sky blue?", "model": model.pk})
    assert response.status_code == 201
    assert Conversation.objects.get().owner == alice
    answer = response.json()["answer"]
    assert program.get(f"/messages/{answer}/source").status_code == 200
    assert program.get(f"/messages/{answer}/events").headers["Content-Type"].startswith("text/event-stream")
    assert not Session.objects.exists()
    assert not program.client.cookies


def test_refusals_are_json_without_being_asked_for(alice: User, model: LanguageModel) -> None:
    program = program_of(alice)
    assert program.post("/conversations", {"prompt": " "}).json()["error"]["code"] == "invalid"
    assert program.get("/nothing").json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("what", ["wrong", "expired", "revoked", "disabled", "none", "not ASCII", "long"])
@pytest.mark.parametrize("path", ["/", "/search?q=x", "/nothing", "/admin/", "/accounts/login/"])
@pytest.mark.postgresql
def test_a_token_that_is_not_valid_opens_nothing_anywhere(alice: User, what: str, path: str) -> None:
    token, secret = make_token(alice, "A script", ALL, timedelta(days=1))
    if what == "expired":
        ApiToken.objects.update(expires_at=timezone.now())
    elif what == "revoked":
        token.revoke()
    elif what == "disabled":
        User.objects.update(is_active=False)
    else:
        secret = {"wrong": secret[:-1] + "g", "none": "", "not ASCII": "chat_ÿ\x01", "long": "x" * 5000}[what]
    browser = Client(raise_request_exception=False)
    browser.force_login(make_user("bob", is_staff=True, is_superuser=True))
    response = browser.get(path, headers={"Authorization": f"Bearer {secret}"})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="chat", error="invalid_token"'
    assert response.json()["error"]["code"] == "invalid_token"


def test_exactly_what_is_offered_to_programs_is_open_to_tokens() -> None:
    scopes = {pattern.name: getattr(pattern.callback, "token_scopes", {}) for pattern in patterns(get_resolver())}
    found = {name: bool(by_method["GET"]) for name, by_method in scopes.items() if by_method and not name.startswith("openai")}
    assert found == dict.fromkeys(READ, True) | dict.fromkeys(DONE, False)


def patterns(resolver: Any) -> Any:
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            yield from patterns(pattern)
        else:
            yield pattern


@pytest.mark.parametrize(
    "name", ["home", "settings", "tokens", "account_change_password", "account_logout", "data", "admin:index", "sidebar"]
)
def test_pages_for_people_are_closed_to_tokens_also_of_staff(name: str, db: None) -> None:
    program = program_of(make_user("carol", is_staff=True, is_superuser=True))
    for response in (program.get(reverse(name)), program.post(reverse(name))):
        assert response.status_code == 403
        assert response.json()["error"]["code"] == "not_open"


@pytest.mark.parametrize(
    ("scope", "may_read", "may_write"), [(Scope.READ, True, False), (Scope.WRITE, False, True), (Scope.CHAT, False, False)]
)
def test_a_scope_opens_its_own_and_no_more(alice: User, model: LanguageModel, scope: Scope, may_read: bool, may_write: bool) -> None:
    program = program_of(alice, scope)
    read, written = program.get("/search?q=x"), program.post("/conversations", {"prompt": "Why?"})
    assert (read.status_code, written.status_code) == (200 if may_read else 403, 201 if may_write else 403)
    for response, wanted in ((read, "read"), (written, "write")):
        if response.status_code == 403:
            assert response.json()["error"]["code"] == "insufficient_scope"
            assert f'scope="{wanted}"' in response.headers["WWW-Authenticate"]


def test_cookies_beside_a_token_count_for_nothing(alice: User, bob: User, model: LanguageModel) -> None:
    turn = make_turn(owner=bob, model=model)
    program = program_of(alice)
    program.client.force_login(bob)
    key = program.client.session.session_key
    response = program.get(f"/messages/{turn.answer.pk}/source")
    assert response.status_code == 404
    assert not response.cookies
    assert Session.objects.filter(session_key=key).exists()


def test_a_strangers_token_finds_nothing(alice: User, bob: User, model: LanguageModel) -> None:
    turn = make_turn(owner=alice, model=model)
    program = program_of(bob)
    assert program.get(f"/messages/{turn.answer.pk}/source").status_code == 404
    assert program.post(f"/conversations/{turn.conversation.pk}/messages", {"prompt": "Mine?"}).status_code == 404


def test_it_costs_one_look_up_and_is_noted_once_a_minute(alice: User) -> None:
    _, secret = make_token(alice, "A script", ALL, None)
    program = Program(f"bearer  {secret} ")
    with CaptureQueriesContext(connection) as first:
        program.get("/search?q=")
    used = ApiToken.objects.get().last_used_at
    assert used is not None
    with CaptureQueriesContext(connection) as second:
        program.get("/search?q=")
    assert ApiToken.objects.get().last_used_at == used
    assert len(first) == len(second) + 1
    assert sum("apitoken" in query["sql"] for query in second) == 1
    assert not any("session" in query["sql"] for query in second)


@pytest.mark.parametrize("header", ["", "Basic YWxpY2U6c2VjcmV0", "bearer", "Bearerchat_1", "Token chat_1"])
def test_another_scheme_is_none_of_ours(header: str) -> None:
    assert secret_in(header) in (None, "")
    assert (secret_in(header) == "") == (header == "bearer")


@pytest.mark.django_db(transaction=True)
async def test_who_loses_the_token_may_not_go_on_reading() -> None:
    alice: User = await sync_to_async(make_user)("alice")
    token, secret = await sync_to_async(make_token)(alice, "A script", ALL, None)
    request = HttpRequest()
    request.token = await sync_to_async(living_token)(secret)  # type: ignore[attr-defined]
    may_go_on = still_signed_in(request)
    assert await may_go_on()
    await sync_to_async(token.revoke)()
    assert not await may_go_on()

"""What goes wrong around the views, told to each kind of client in its own form."""

import logging
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError, connection
from django.test import Client, RequestFactory

from chatsite.logs import Outages, Refusals
from chatsite.sessions import is_living
from conversations.models import LanguageModel
from conversations.views.errors import permission_denied, server_error
from tests.factories import make_turn

from .sending import HTMX, JSON

MANY = "&".join(f"field{number}=x" for number in range(1200))


@pytest.mark.parametrize("path", ["/nothing", "/conversations/999", "/messages/999/events", "/messages/999/source", "/admin/nothing"])
def test_what_is_not_there_is_told_to_programs_in_json(carols: Client, path: str) -> None:
    for response in (carols.get(path, headers=JSON), carols.get(f"{path}?format=json")):
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "not_found"
    page = carols.get(path)
    assert (page.status_code, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_turn_in_a_conversation_that_is_gone_is_told_beside_the_composer(alices: Client, model: LanguageModel) -> None:
    response = alices.post("/conversations/999/messages", {"prompt": "hello", "model": model.pk}, headers=HTMX)
    assert response.status_code == 404
    assert response.content.decode().startswith('<hx-partial hx-target="#composer-error"')


@pytest.mark.parametrize("headers", [{}, HTMX, JSON])
def test_an_address_with_too_many_fields_is_refused(alices: Client, headers: dict[str, str]) -> None:
    response = alices.get(f"/?{MANY}", headers=headers)
    assert response.status_code == 400
    assert "too many fields" in response.content.decode()


@pytest.mark.parametrize(("answer", "status"), [(lambda request: permission_denied(request, Exception()), 403), (server_error, 500)])
def test_the_last_refusals_are_json_too(answer: Any, status: int) -> None:
    told = answer(RequestFactory().get("/", headers=JSON))
    assert told.status_code == status
    assert b'{"error": {"code": ' in told.content
    page = answer(RequestFactory().get("/"))
    assert (page.status_code, page.headers["Content-Type"]) == (status, "text/html; charset=utf-8")


def test_a_refused_request_is_one_line_of_the_log_and_an_error_keeps_its_traceback() -> None:
    names = ("django.security.RequestDataTooBig", "django.request")
    records = [logging.makeLogRecord({"name": name, "exc_info": (1, 2, 3)}) for name in names]
    assert all(Refusals().filter(record) for record in records)
    assert [record.exc_info is None for record in records] == [True, False]


def test_a_database_that_is_away_is_told_whole_once_and_then_in_lines() -> None:
    def record(error: Exception) -> logging.LogRecord:
        return logging.makeLogRecord({"name": "a.room", "msg": "No %s.", "args": ("luck",), "exc_info": (type(error), error, None)})

    log = Outages()
    refused, other, bug = OperationalError("connection refused\nIs it up?"), OperationalError("the disk is full"), ValueError("a bug")
    told: list[Any] = [log.filter(record(error)) for error in (refused, refused, other, bug, bug)]
    assert [told[number] for number in (0, 2, 3, 4)] == [True] * 4
    assert (told[1].getMessage(), told[1].exc_info) == ("No luck. connection refused", None)
    pool = logging.makeLogRecord({"name": "psycopg.pool", "msg": "error connecting"})
    assert [log.filter(pool), log.filter(pool)] == [True, False]


def away(*_: Any) -> Any:
    raise OperationalError("connection refused")


@pytest.mark.parametrize("headers", [{}, HTMX, JSON])
@pytest.mark.parametrize("method", ["get", "post"])
def test_while_the_database_is_away_each_kind_of_client_is_told_so_in_words(alices: Client, headers: dict[str, str], method: str) -> None:
    with connection.execute_wrapper(away):
        response = getattr(alices, method)("/" if method == "get" else "/conversations", {"prompt": "keep <this>"}, headers=headers)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    text = response.content.decode()
    assert "The database cannot be used just now" in text
    if not headers:
        assert ("keep &lt;this&gt;</textarea>" in text) == (method == "post")
        assert ('http-equiv="refresh"' in text) == (method == "get")  # a prompt is never sent by itself
    if headers == JSON:
        assert response.json()["error"]["code"] == "unavailable"


@pytest.mark.parametrize("headers", [JSON, {"Accept": "text/html"}])
def test_a_forged_request_of_a_program_is_told_in_json(alice: User, model: LanguageModel, headers: dict[str, str]) -> None:
    browser = Client(enforce_csrf_checks=True, headers=headers)
    browser.force_login(alice)
    response = browser.post("/conversations?format=json", {"prompt": "hello"}, content_type="application/json")
    assert (response.status_code, response.json()["error"]["code"]) == (403, "csrf")


@pytest.mark.parametrize("headers", [{}, HTMX, JSON])
def test_a_name_that_the_site_does_not_have_is_told_to_who_asks_and_to_who_runs_it(db: None, caplog: Any, headers: dict[str, str]) -> None:
    told = Client().get("/", headers={"Host": "chat.lan:8000", **headers})
    assert told.status_code == 400
    assert "does not answer to the name" in told.content.decode()
    assert "chat.lan:8000" in told.content.decode()
    assert "what you wrote is still there" not in told.content.decode()
    assert "ALLOWED_HOSTS" in caplog.text


def test_a_form_from_elsewhere_is_named_so_in_the_title(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    page = browser.post("/theme", {"theme": "dark"}, headers={"Origin": "https://evil.example"}).content.decode()
    assert "<title>This came from elsewhere" in page
    assert "<title>The page was open too long" in browser.post("/theme", {"theme": "dark"}).content.decode()


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_while_the_database_is_away_nobody_is_logged_out_of_what_is_open(db: None, error: type[Exception]) -> None:
    def away(*args: Any) -> None:
        raise error("away")

    with connection.execute_wrapper(away):
        assert is_living("x" * 32)
    assert not is_living("x" * 32)


@pytest.mark.parametrize("path", ["/", "/search?q=x", "/conversations", "/accounts/login/", "/nothing"])
def test_head_is_get_without_the_body(alices: Client, model: LanguageModel, path: str) -> None:
    asked, told = alices.get(path), alices.head(path)
    assert (told.status_code, told.headers.get("Location")) == (asked.status_code, asked.headers.get("Location"))
    assert told.status_code != 405


def test_head_of_a_stream_opens_none(alices: Client, alice: User, model: LanguageModel) -> None:
    told = alices.head(f"/messages/{make_turn(owner=alice, model=model).answer.pk}/events")
    assert (told.status_code, told.headers["Content-Type"], told.streaming) == (200, "text/event-stream; charset=utf-8", False)


def test_what_is_posted_to_begin_a_conversation_leads_home_when_it_is_asked_for(alices: Client) -> None:
    assert alices.get("/conversations").headers["Location"] == "/"

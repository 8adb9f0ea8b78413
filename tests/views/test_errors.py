"""What goes wrong around the views, told to each kind of client in its own form."""

import logging
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from chatsite.logs import Refusals
from conversations.models import LanguageModel
from conversations.views.errors import permission_denied, server_error

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


@pytest.mark.parametrize("headers", [JSON, {"Accept": "text/html"}])
def test_a_forged_request_of_a_program_is_told_in_json(alice: User, model: LanguageModel, headers: dict[str, str]) -> None:
    browser = Client(enforce_csrf_checks=True, headers=headers)
    browser.force_login(alice)
    response = browser.post("/conversations?format=json", {"prompt": "hello"}, content_type="application/json")
    assert (response.status_code, response.json()["error"]["code"]) == (403, "csrf")

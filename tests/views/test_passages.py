"""Long conversations: a page opens on a passage, and leads to what is before and after it, with and without a script."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conversations.models import Conversation, Message
from conversations.models.passages import LENGTH
from tests.factories import make_conversation, make_path

HTMX = {"HX-Request": "true"}


def shown(body: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'<article id="message-(\d+)"', body)]


def keys(path: list[Message]) -> list[int]:
    return [message.pk for message in path]


def page(browser: Client, conversation: Conversation, query: str = "", **headers: str) -> str:
    response = browser.get(f"/conversations/{conversation.pk}{query}", headers=headers)
    assert response.status_code == 200
    assert "HX-Request" in response.headers["Vary"]
    return response.content.decode()


def test_a_long_conversation_opens_on_its_end_and_links_to_what_is_earlier(alice: User, alices: Client) -> None:
    path = make_path(conversation := make_conversation(alice), LENGTH + 6)
    body = page(alices, conversation)
    assert shown(body) == keys(path[6:])
    assert f'href="/conversations/{conversation.pk}?before={path[6].pk}"' in body
    assert 'id="composer"' in body


def test_a_short_conversation_links_to_nothing_earlier(alice: User, alices: Client) -> None:
    make_path(conversation := make_conversation(alice), LENGTH)
    assert "?before=" not in page(alices, conversation)


def test_earlier_messages_are_a_page_without_a_script(alice: User, alices: Client) -> None:
    path = make_path(conversation := make_conversation(alice), LENGTH + 6)
    body = page(alices, conversation, f"?before={path[6].pk}")
    assert shown(body) == keys(path[:6])
    assert "?before=" not in body
    assert 'id="composer"' not in body
    assert f'href="/conversations/{conversation.pk}?message={path[5].pk}#message-{path[5].pk}"' in body


def test_earlier_messages_come_alone_where_a_page_has_the_rest(alice: User, alices: Client) -> None:
    path = make_path(conversation := make_conversation(alice), 2 * LENGTH + 2)
    body = page(alices, conversation, f"?before={path[LENGTH + 2].pk}", **HTMX)
    assert shown(body) == keys(path[2 : LENGTH + 2])
    assert f"?before={path[2].pk}" in body
    assert "<html" not in body


def test_a_link_to_a_message_shows_its_branch_and_keeps_the_path(alice: User, alices: Client) -> None:
    trunk = make_path(conversation := make_conversation(alice), 4)
    branch = make_path(conversation, 2, parent=trunk[1])
    body = page(alices, conversation, f"?message={trunk[2].pk}")
    assert shown(body) == keys(trunk)
    assert "another branch" in body
    assert 'id="composer"' not in body
    assert shown(page(alices, conversation)) == keys(trunk[:2] + branch)


def test_a_link_to_one_of_the_last_messages_shows_the_page_as_ever(alice: User, alices: Client) -> None:
    path = make_path(conversation := make_conversation(alice), 4)
    body = page(alices, conversation, f"?message={path[1].pk}")
    assert shown(body) == keys(path)
    assert 'id="composer"' in body
    assert 'id="news"' in body


def test_one_goes_on_where_the_link_leads(alice: User, alices: Client) -> None:
    trunk = make_path(conversation := make_conversation(alice), 4)
    branch = make_path(conversation, 2, parent=trunk[1])
    body = page(alices, conversation, f"?message={trunk[2].pk}")
    assert f'formaction="/messages/{trunk[3].pk}/choose"' in body
    assert alices.post(f"/messages/{trunk[3].pk}/choose").status_code == 302
    assert shown(page(alices, conversation)) == keys(trunk)
    assert shown(page(alices, conversation, f"?message={branch[0].pk}")) == keys(trunk[:2] + branch)


def test_what_is_changed_on_a_page_of_another_passage_leads_to_the_last(alice: User, alices: Client) -> None:
    trunk = make_path(conversation := make_conversation(alice), 4)
    there = {"HX-Current-URL": f"http://testserver/conversations/{conversation.pk}?message={trunk[2].pk}"}
    response = alices.post(f"/messages/{trunk[2].pk}/choose", headers=HTMX | there)
    assert response.headers["HX-Redirect"] == f"/conversations/{conversation.pk}"
    assert "HX-Redirect" not in alices.post(f"/messages/{trunk[2].pk}/choose", headers=HTMX).headers
    response = alices.post(f"/turns/{trunk[2].pk}/delete", headers=HTMX | there)
    assert response.headers["HX-Redirect"] == f"/conversations/{conversation.pk}?deleted={trunk[2].pk}&head={trunk[3].pk}"


@pytest.mark.parametrize("query", ["message", "before"])
def test_a_message_that_is_not_in_the_conversation_is_not_found(alice: User, alices: Client, bobs: Client, query: str) -> None:
    path = make_path(conversation := make_conversation(alice), 4)
    elsewhere = make_path(make_conversation(alice), 2)
    address = f"/conversations/{conversation.pk}?{query}="
    assert alices.get(f"{address}{path[1].pk}").status_code == 200
    assert alices.get(f"{address}{elsewhere[1].pk}").status_code == 404
    assert bobs.get(f"{address}{path[1].pk}").status_code == 404
    Message.objects.update(deleted_at="2026-01-01T00:00Z")
    assert alices.get(f"{address}{path[1].pk}").status_code == 404


@pytest.mark.parametrize("junk", ["", "x", "-1", "9" * 30, "١"])
def test_what_is_no_number_shows_the_end(alice: User, alices: Client, junk: str) -> None:
    path = make_path(conversation := make_conversation(alice), 2)
    assert shown(page(alices, conversation, f"?message={junk}&before={junk}")) == keys(path)


@pytest.mark.parametrize("length", [4, 3 * LENGTH])
def test_each_passage_asks_the_same_however_long_the_conversation_is(alice: User, alices: Client, length: int) -> None:
    path = make_path(conversation := make_conversation(alice), length)
    for query, queries in (("", 11), (f"?before={path[2].pk}", 11), (f"?message={path[1].pk}", 12)):
        page(alices, conversation, query)
        with CaptureQueriesContext(connection) as captured:
            page(alices, conversation, query)
        assert len(captured) == queries, query


def test_a_page_that_has_missed_more_than_a_passage_is_given_the_last_one_whole(alice: User, alices: Client) -> None:
    path = make_path(conversation := make_conversation(alice), LENGTH + 4)
    news = f"/conversations/{conversation.pk}/news?after="
    whole = alices.get(f"{news}{path[1].pk}").content.decode()
    assert 'hx-target="#log" hx-swap="innerHTML"' in whole
    assert shown(whole) == keys(path[4:])
    assert f"?before={path[4].pk}" in whole
    behind = alices.get(f"{news}{path[5].pk}").content.decode()
    assert 'hx-target="#log" hx-swap="beforeend"' in behind
    assert shown(behind) == keys(path[6:])

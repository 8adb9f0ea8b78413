"""The search page: for a browser with and without script, and for programs."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from conversations.models import Conversation, Message, Role
from conversations.models.search import MOST_TITLES, PAGE
from tests.factories import make_conversation

from .test_queries import queries_of

JSON, HTMX = {"Accept": "application/json"}, {"HX-Request": "true"}


def say(owner: User, *texts: str, **fields: Any) -> list[Message]:
    conversation = make_conversation(owner, **fields)
    return [Message.objects.create(conversation=conversation, role=Role.USER, text=text) for text in texts]


def page(browser: Client, typed: str, headers: dict[str, str] | None = None, **more: object) -> str:
    response = browser.get("/search", {"q": typed, **more}, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def test_a_result_leads_to_its_message_with_what_was_found_marked(alice: User, alices: Client) -> None:
    (message,) = say(alice, "Which <b>café</b>?", title="A <i>trip</i>")
    html = page(alices, "cafe")
    assert f'href="/conversations/{message.conversation_id}?message={message.pk}#message-{message.pk}"' in html
    assert "Which &lt;b&gt;<mark>café</mark>&lt;/b&gt;?" in html
    assert "A &lt;i&gt;trip&lt;/i&gt;" in html
    assert "<b>" not in html
    assert alices.get(f"/conversations/{message.conversation_id}?message={message.pk}").status_code == 200


def test_a_title_is_found_too(alice: User, alices: Client) -> None:
    conversation = make_conversation(alice, title="Cafés & bars")
    assert f'href="/conversations/{conversation.pk}" data-result><mark>Cafés</mark> &amp; bars</a>' in page(alices, "cafés")


def test_a_stranger_finds_nothing(alice: User, bobs: Client) -> None:
    say(alice, "a secret", title="secret title")
    html = page(bobs, "secret")
    assert "a <mark>secret" not in html
    assert "secret title" not in html
    assert "Nothing found" in html


def test_what_is_in_the_trash_is_not_found(alice: User, alices: Client) -> None:
    say(alice, "a secret", title="secret title", deleted_at=timezone.now())
    assert "Nothing found" in page(alices, "secret")


def test_a_page_says_how_to_search_before_anything_is_asked(alices: Client) -> None:
    for typed in ("", "   ", "-without", '"', "!!!"):
        html = page(alices, typed)
        assert "these words in a row" in html
        assert "Nothing found" not in html


def test_nothing_found_says_what_can_be_done(alices: Client) -> None:
    html = page(alices, "<script>absent")
    assert "No title and no message holds “&lt;script&gt;absent”. Try fewer words" in html


def test_older_results_follow_the_ones_there_are(alice: User, alices: Client) -> None:
    messages = say(alice, *(f"apple {number}" for number in range(PAGE + 5)))
    oldest_shown = messages[-PAGE]
    html = page(alices, "apple &", {})
    assert f'href="/search?q=apple%20%26&amp;before={oldest_shown.pk}"' in html
    assert "The newest 20 messages" in html
    for headers in ({}, HTMX):
        older = page(alices, "apple &", headers, before=oldest_shown.pk)
        assert older.count('class="snippet"') == 5
        assert "Older messages</a>" not in older
    assert ("<form" in page(alices, "apple", before=oldest_shown.pk), "<form" in older) == (True, False)


def test_htmx_is_given_the_results_alone(alice: User, alices: Client) -> None:
    say(alice, "an apple")
    html = page(alices, "appl", HTMX)
    assert "<mark>appl</mark>e" in html
    assert '<hx-partial hx-target="#found" hx-swap="innerHTML">\n1 message' in html
    assert "<html" not in html


def test_programs_are_told_as_json(alice: User, alices: Client) -> None:
    (message,) = say(alice, "an apple", title="Apples")
    response = alices.get("/search", {"q": "appl"}, headers=JSON)
    assert response.json() == {
        "conversations": [{"id": message.conversation_id, "title": "Apples", "url": f"/conversations/{message.conversation_id}"}],
        "messages": [
            {
                "id": message.pk,
                "conversation": message.conversation_id,
                "title": "Apples",
                "role": "user",
                "created_at": message.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "url": f"/conversations/{message.conversation_id}?message={message.pk}#message-{message.pk}",
            }
        ],
        "before": None,
    }
    assert alices.get("/search", {"q": ""}, headers=JSON).json() == {"conversations": [], "messages": [], "before": None}


@pytest.mark.parametrize(
    "typed", ["a" * 10_000, '"' * 10_000, "\0", "\ud800".encode("utf-8", "surrogatepass"), b"\xff\xfe", "*", "a OR", "%"]
)
def test_whatever_is_asked_is_answered(alices: Client, typed: str | bytes) -> None:
    assert alices.get("/search", {"q": typed}).status_code == 200
    assert alices.get("/search", {"q": typed, "before": "9" * 30}).status_code == 200


@pytest.mark.parametrize("amount", [1, 60])
def test_a_page_asks_the_same_however_much_is_found(alice: User, alices: Client, amount: int) -> None:
    for _ in range(amount):
        say(alice, "apple", title="apple")
    assert Conversation.objects.count() == amount
    assert queries_of(alices, "/search?q=apple") == queries_of(alices, "/search?q=absent") + 2 == 9
    assert page(alices, "apple").count("data-result>") == min(amount, MOST_TITLES) + min(amount, PAGE) + (amount > PAGE)

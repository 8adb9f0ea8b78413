"""What a page fetches to keep in step: the sidebar, and what is behind the last message that it shows."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conversations.models import Generation, LanguageModel, Status, retry
from tests.factories import make_conversation, make_turn


def news(browser: Client, conversation: int, after: object = "") -> str:
    response = browser.get(f"/conversations/{conversation}/news?after={after}")
    assert response.status_code == 200
    return response.content.decode()


def end_all() -> None:
    Generation.objects.update(status=Status.COMPLETE)


def test_a_page_that_is_up_to_date_gets_no_turn(alice: User, alices: Client) -> None:
    turn = make_turn(owner=alice)
    body = news(alices, turn.conversation.pk, turn.answer.pk)
    assert "<article" not in body
    assert 'hx-target="#title"' in body


def test_a_page_gets_the_turns_behind_its_last_message(alice: User, alices: Client) -> None:
    turn = make_turn(owner=alice)
    end_all()
    later = make_turn(turn.conversation, prompt="and then <b>?")
    body = news(alices, turn.conversation.pk, turn.answer.pk)
    assert 'hx-target="#log" hx-swap="beforeend"' in body
    assert f'id="message-{later.prompt.pk}"' in body
    assert f"/messages/{later.answer.pk}/events?after=" in body
    assert f'id="message-{turn.answer.pk}"' not in body
    assert "and then &lt;b&gt;?" in body


def test_an_answer_that_was_retried_is_replaced_by_what_followed(alice: User, alices: Client, model: LanguageModel) -> None:
    turn = make_turn(owner=alice)
    end_all()
    again = retry(turn.answer, model)
    end_all()
    turn.conversation.refresh_from_db()
    later = make_turn(turn.conversation)
    body = news(alices, turn.conversation.pk, turn.answer.pk)
    assert f'hx-target="#message-{turn.prompt.pk} ~ *" hx-swap="delete"' in body
    assert 'hx-target="#log" hx-swap="beforeend"' in body
    assert [f'id="message-{message.pk}"' in body for message in (again.answer, later.prompt, later.answer)] == [True] * 3


@pytest.mark.parametrize("after", ["", "x", "-1", "9" * 30, "١"])
def test_a_page_that_names_no_message_gets_them_all(alice: User, alices: Client, after: str) -> None:
    turn = make_turn(owner=alice)
    body = news(alices, turn.conversation.pk, after)
    assert body.count("<article") == 2
    assert 'hx-target="#log" hx-swap="innerHTML"' in body


def test_a_deleted_conversation_says_so_and_how_to_have_it_back(alice: User, alices: Client) -> None:
    turn = make_turn(owner=alice)
    assert "was deleted" not in news(alices, turn.conversation.pk)
    turn.conversation.soft_delete()
    body = news(alices, turn.conversation.pk)
    assert "was deleted" in body
    assert f"/conversations/{turn.conversation.pk}/restore" in body


def test_somebody_elses_conversation_has_no_news(alice: User, bobs: Client) -> None:
    turn = make_turn(owner=alice)
    assert bobs.get(f"/conversations/{turn.conversation.pk}/news").status_code == 404
    turn.conversation.soft_delete()
    assert bobs.get(f"/conversations/{turn.conversation.pk}/news").status_code == 404


def test_the_sidebar_has_what_is_ones_own_and_marks_the_open_one(alice: User, alices: Client, bob: User) -> None:
    open_one, other = make_conversation(alice, title="Open one"), make_conversation(alice, title="Other <one>")
    make_conversation(bob, title="Of bob")
    other.rename("Other <two>")
    body = alices.get(f"/sidebar?open={open_one.pk}").content.decode()
    assert "Other &lt;two&gt;" in body
    assert "Of bob" not in body
    assert body.count("aria-current") == 1
    assert f'href="/conversations/{open_one.pk}" aria-current="page"' in body


def test_what_is_being_answered_is_marked_on_the_page_too(alice: User, alices: Client) -> None:
    make_turn(owner=alice)
    for path in ("/", "/sidebar"):
        assert alices.get(path).content.decode().count('aria-label="Answering"') == 1
    end_all()
    for path in ("/", "/sidebar"):
        assert 'aria-label="Answering"' not in alices.get(path).content.decode()


@pytest.mark.parametrize("amount", [1, 30])
def test_the_sidebar_asks_the_same_however_long_it_is(alice: User, alices: Client, model: LanguageModel, amount: int) -> None:
    for _ in range(amount):
        make_turn(owner=alice, model=model)
    with CaptureQueriesContext(connection) as captured:
        assert alices.get("/sidebar").status_code == 200
    assert len(captured) == 4


@pytest.mark.parametrize("turns", [1, 12])
def test_news_ask_the_same_however_much_is_new(alice: User, alices: Client, model: LanguageModel, turns: int) -> None:
    conversation = make_conversation(alice, model=model)
    for _ in range(turns):
        end_all()
        make_turn(conversation)
        conversation.refresh_from_db()
    end_all()
    with CaptureQueriesContext(connection) as captured:
        news(alices, conversation.pk)
    assert len(captured) == 6

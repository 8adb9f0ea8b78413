"""An answer is edited in a form, with and without a script; its text is had as Markdown and as plain text."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from conversations.models import Conversation, Generation, Message, Role, Status, Turn
from tests.factories import make_conversation, make_turn

HTMX = {"HX-Request": "true"}
JSON = {"Accept": "application/json"}


@pytest.fixture
def turn(alice: User) -> Turn:
    turn = make_turn(owner=alice)
    Generation.objects.update(status=Status.COMPLETE)
    Message.objects.filter(pk=turn.answer.pk).update(text="It *is* <b>blue</b>.")
    return turn


def address(turn: Turn) -> str:
    return f"/messages/{turn.answer.pk}/rewrite"


def page(browser: Client, conversation: Conversation) -> str:
    response = browser.get(f"/conversations/{conversation.pk}")
    assert response.status_code == 200
    return response.content.decode()


def test_the_form_holds_the_markdown_of_the_answer(turn: Turn, alices: Client) -> None:
    for headers, is_page in ((None, True), (HTMX, False)):
        body = alices.get(address(turn), headers=headers).content.decode()
        assert "\nIt *is* &lt;b&gt;blue&lt;/b&gt;.</textarea>" in body
        assert ("<html" in body) == is_page


def test_what_was_saved_is_shown_as_edited_beside_the_answer(turn: Turn, alices: Client) -> None:
    response = alices.post(address(turn), {"text": "It is **grey**.\r\n"})
    written = Message.objects.latest("pk")
    assert written.text == "It is **grey**."
    assert response.headers["Location"].startswith(f"/conversations/{turn.conversation.pk}?message={written.pk}")
    body = page(alices, turn.conversation)
    assert "It is <strong>grey</strong>." in body
    assert '<li class="edited">' in body
    assert "2/2" in body
    assert "<em>is</em>" not in body
    assert '<li class="edited">' not in alices.get(f"/conversations/{turn.conversation.pk}?message={turn.answer.pk}").content.decode()


def test_htmx_gets_the_path_as_it_is_now(turn: Turn, alices: Client) -> None:
    body = alices.post(address(turn), {"text": "Grey."}, headers=HTMX).content.decode()
    assert f'id="message-{Message.objects.latest("pk").pk}"' in body
    assert f'id="message-{turn.answer.pk}"' not in body
    assert "<html" not in body


def test_programs_are_told_where_it_is(turn: Turn, alices: Client) -> None:
    response = alices.post(address(turn), {"text": "Grey."}, content_type="application/json", headers=JSON)
    assert response.status_code == 201
    assert response.json()["answer"] == Message.objects.latest("pk").pk


@pytest.mark.parametrize("text", ["", " \n ", "\u200b"])
def test_an_answer_without_a_word_is_refused_and_one_too_long_stays_in_the_form(turn: Turn, alices: Client, text: str) -> None:
    assert alices.post(address(turn), {"text": text}, headers=JSON).status_code == 422
    response = alices.post(address(turn), {"text": "kept" + "x" * 200_000})
    assert response.status_code == 422
    assert "keptx" in response.content.decode()
    assert "at most 200,000 characters" in response.content.decode()
    assert Message.objects.count() == 2


def test_nothing_is_edited_while_an_answer_is_written(turn: Turn, alices: Client) -> None:
    turn.conversation.refresh_from_db()
    running = make_turn(turn.conversation)
    assert alices.get(address(running), headers=JSON).status_code == 409
    response = alices.post(address(turn), {"text": "Grey."}, headers=HTMX)
    assert response.status_code == 409
    assert f'hx-target="#message-{turn.answer.pk}-rewrite-error"' in response.content.decode()
    response = alices.post(address(turn), {"text": "Grey <1>."})
    assert "Grey &lt;1&gt;." in response.content.decode()


def test_prompts_and_answers_of_others_are_not_edited(turn: Turn, alices: Client, bobs: Client) -> None:
    assert bobs.get(address(turn)).status_code == bobs.post(address(turn), {"text": "x"}).status_code == 404
    assert alices.post(f"/messages/{turn.prompt.pk}/rewrite", {"text": "x"}).status_code == 404


def test_an_answer_that_no_generation_wrote_is_a_whole_one(alice: User, alices: Client) -> None:
    conversation = make_conversation(alice)
    prompt = Message.objects.create(conversation=conversation, role=Role.USER, text="Why?")
    conversation.head = Message.objects.create(
        conversation=conversation, parent=prompt, role=Role.ASSISTANT, text="Because *so*.", model_name="Elsewhere"
    )
    conversation.save()
    body = page(alices, conversation)
    assert 'data-status="complete"' in body
    assert "<em>so</em>" in body
    assert "Elsewhere" in body
    assert alices.get(f"/messages/{conversation.head.pk}/source").content.decode() == "Because *so*."
    assert alices.get(f"/messages/{conversation.head.pk}/text").content.decode() == "Because so."
    assert alices.post(f"/messages/{conversation.head.pk}/feedback", {"rating": 1}).status_code == 302


def test_the_text_of_an_answer_is_had_without_marks(turn: Turn, alices: Client, bobs: Client) -> None:
    response = alices.get(f"/messages/{turn.answer.pk}/text")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode() == "It is <b>blue</b>."
    assert alices.get(f"/messages/{turn.answer.pk}/source").content.decode() == "It *is* <b>blue</b>."
    assert bobs.get(f"/messages/{turn.answer.pk}/text").status_code == 404
    assert alices.get(f"/messages/{turn.prompt.pk}/text").status_code == 404

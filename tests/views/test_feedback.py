"""Thumbs up and down, with a comment or without: with and without a script, and as JSON."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from conversations.forms.answers import NO_RATING
from conversations.models import Feedback, Generation, Status, Turn, rate
from tests.factories import make_turn

HTMX = {"HX-Request": "true"}
JSON = {"Accept": "application/json"}
PRESSED, UP, DOWN = 'aria-pressed="true" aria-label="{} answer"', "Good", "Bad"


@pytest.fixture
def turn(alice: User) -> Turn:
    turn = make_turn(owner=alice)
    Generation.objects.update(status=Status.COMPLETE)
    return turn


def address(turn: Turn) -> str:
    return f"/messages/{turn.answer.pk}/feedback"


def page(browser: Client, turn: Turn) -> str:
    return browser.get(f"/conversations/{turn.conversation.pk}").content.decode()


def is_pressed(body: str, which: str) -> bool:
    return PRESSED.format(which) in body


def test_a_press_rates_and_another_takes_it_back(turn: Turn, alices: Client) -> None:
    assert not is_pressed(page(alices, turn), UP)
    response = alices.post(address(turn), {"rating": 1})
    assert response.headers["Location"] == f"/conversations/{turn.conversation.pk}?message={turn.answer.pk}#message-{turn.answer.pk}"
    body = page(alices, turn)
    assert is_pressed(body, UP)
    assert not is_pressed(body, DOWN)
    assert 'name="rating" value="0"' in body
    alices.post(address(turn), {"rating": 0})
    assert not is_pressed(page(alices, turn), UP)
    assert not Feedback.objects.exists()


def test_htmx_gets_the_buttons_as_they_are_now(turn: Turn, alices: Client) -> None:
    body = alices.post(address(turn), {"rating": -1}, headers=HTMX).content.decode()
    assert is_pressed(body, DOWN)
    assert "Comment" in body
    assert "<html" not in body
    body = alices.post(address(turn), {"rating": 0}, headers=HTMX).content.decode()
    assert not is_pressed(body, DOWN)
    assert ">Comment<" not in body


def test_a_comment_is_written_in_a_form_and_stays_when_the_rating_changes(turn: Turn, alices: Client) -> None:
    rate(turn.answer, -1)
    assert "<html" in alices.get(address(turn)).content.decode()
    assert "<html" not in alices.get(address(turn), headers=HTMX).content.decode()
    alices.post(address(turn), {"rating": -1, "comment": " It is <wrong>.\r\n"})
    assert Feedback.objects.get().comment == "It is <wrong>."
    assert "It is &lt;wrong&gt;." in alices.get(address(turn)).content.decode()
    alices.post(address(turn), {"rating": 1})
    feedback = Feedback.objects.get()
    assert (feedback.rating, feedback.comment) == (1, "It is <wrong>.")
    alices.post(address(turn), {"rating": 1, "comment": ""})
    assert Feedback.objects.get().comment == ""


def test_programs_say_and_hear_it_as_json(turn: Turn, alices: Client) -> None:
    given = {"rating": -1, "comment": "Wrong."}
    response = alices.post(address(turn), given, content_type="application/json", headers=JSON)
    assert (response.status_code, response.json()) == (200, given)
    response = alices.post(address(turn), {"rating": 0}, content_type="application/json", headers=JSON)
    assert response.json() == {"rating": 0, "comment": ""}


@pytest.mark.parametrize("rating", ["", "2", "x", "1.5"])
def test_what_is_no_rating_is_refused_in_words(turn: Turn, alices: Client, rating: str) -> None:
    response = alices.post(address(turn), {"rating": rating}, headers=JSON)
    assert (response.status_code, response.json()["error"]["message"]) == (422, NO_RATING)
    response = alices.post(address(turn), {"rating": rating, "comment": "Kept here"})
    assert response.status_code == 422
    assert "Kept here" in response.content.decode()
    assert f'hx-target="#message-{turn.answer.pk}-comment-error"' in alices.post(address(turn), headers=HTMX).content.decode()


def test_a_comment_that_is_too_long_or_no_text_is_refused(turn: Turn, alices: Client) -> None:
    for comment in ("x" * 4001, "a\0b"):
        assert alices.post(address(turn), {"rating": 1, "comment": comment}, headers=JSON).status_code == 422
    assert not Feedback.objects.exists()


def test_an_answer_that_is_being_written_is_not_rated_yet(alice: User, alices: Client) -> None:
    turn = make_turn(owner=alice)
    assert alices.post(address(turn), {"rating": 1}, headers=JSON).status_code == 409
    assert not is_pressed(page(alices, turn), UP)


def test_prompts_and_answers_of_others_are_not_rated(turn: Turn, alices: Client, bobs: Client) -> None:
    assert bobs.post(address(turn), {"rating": 1}).status_code == 404
    assert alices.post(f"/messages/{turn.prompt.pk}/feedback", {"rating": 1}).status_code == 404
    assert not Feedback.objects.exists()

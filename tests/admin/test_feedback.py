"""Staff read what people thought of answers, and come from there to the transcript."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from conversations.admin.transcript import PER_PAGE
from conversations.models import Feedback, rate
from tests.factories import make_conversation, make_model, make_path, make_turn, make_user

LIST = reverse("admin:conversations_feedback_changelist")


def body(browser: Client, url: str, **query: object) -> str:
    response = browser.get(url, query)
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def rated(alice: User) -> Feedback:
    feedback = rate(make_turn(owner=alice).answer, -1, "It is <b>wrong</b>. " + "x" * 400)
    assert feedback
    return feedback


def test_the_list_says_who_thought_what_of_which_model(root: Client, rated: Feedback) -> None:
    page = body(root, LIST)
    for shown in ("thumbs down", "It is &lt;b&gt;wrong&lt;/b&gt;.", rated.message.generation.model_name, "alice"):
        assert shown in page
    assert "x" * 300 not in page
    assert "x" * 400 in body(root, reverse("admin:conversations_feedback_change", args=[rated.pk]))


def test_the_list_is_filtered_by_rating_and_model(root: Client, rated: Feedback) -> None:
    other = make_model(name="Another model")
    rate(make_turn(model=other).answer, 1)
    assert "alice" in body(root, LIST, rating__exact=-1)
    assert "alice" not in body(root, LIST, rating__exact=1)
    assert "alice" not in body(root, LIST, message__generation__model__id__exact=other.pk)
    assert "Another model" in body(root, LIST, message__generation__model__id__exact=other.pk)


def test_a_rating_leads_to_its_message_in_the_transcript(root: Client, alice: User) -> None:
    path = make_path(make_conversation(alice), PER_PAGE + 4)
    rate(path[PER_PAGE + 1], 1)
    link = re.search(r'href="(/admin/conversations/conversation/[^"#]+)#message-(\d+)"', body(root, LIST))
    assert link
    page = body(root, link[1])
    assert int(link[2]) == path[PER_PAGE + 1].pk
    assert f'id="message-{link[2]}"' in page
    assert f'id="message-{path[0].pk}"' not in page


def test_who_may_not_read_feedback_does_not(client: Client, rated: Feedback) -> None:
    client.force_login(make_user("carol", is_staff=True, permissions=("view_conversation",)))
    assert client.get(LIST).status_code == 403
    client.force_login(make_user("dora", is_staff=True, permissions=("view_feedback",)))
    assert client.get(LIST).status_code == 200

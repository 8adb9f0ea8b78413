"""What each page asks of the database: a fixed number of queries, however much there is."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conversations.models import Conversation, Generation, LanguageModel, Message, Status, Usage
from tests.factories import make_conversation, make_model, make_turn

JSON = {"Accept": "application/json"}


def queries_of(browser: Client, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert browser.get(path).status_code == 200
    return len(captured)


def make_long_conversation(owner: User, model: LanguageModel, turns: int) -> Conversation:
    """The last answer is live."""
    conversation = make_conversation(owner, model=model)
    for _ in range(turns):
        Generation.objects.update(status=Status.COMPLETE)
        turn = make_turn(conversation)
        usage = Usage(generation=turn.generation, input_tokens=5)
        usage.take_prices(model)
        usage.save()
        conversation.refresh_from_db()
    return conversation


@pytest.mark.parametrize("amount", [1, 30])
def test_home_asks_the_same_however_many_conversations_there_are(alice: User, alices: Client, model: LanguageModel, amount: int) -> None:
    for _ in range(amount):
        make_turn(owner=alice, model=model)
        make_model()
    assert queries_of(alices, "/") == 8


@pytest.mark.parametrize("turns", [1, 12])
def test_a_conversation_asks_the_same_however_long_it_is(alice: User, alices: Client, model: LanguageModel, turns: int) -> None:
    for _ in range(turns):
        make_turn(owner=alice, model=model)
    conversation = make_long_conversation(alice, model, turns)
    assert queries_of(alices, reverse("conversation", args=[conversation.pk])) == 11


@pytest.mark.parametrize("turns", [1, 12])
def test_sending_asks_the_same_however_long_the_conversation_is(alice: User, alices: Client, model: LanguageModel, turns: int) -> None:
    conversation = make_long_conversation(alice, model, turns)
    Generation.objects.update(status=Status.COMPLETE)
    with CaptureQueriesContext(connection) as captured:
        response = alices.post(reverse("start_turn", args=[conversation.pk]), {"prompt": "hello", "model": model.pk}, headers=JSON)
    assert response.status_code == 201
    assert len(captured) == 13


@pytest.mark.parametrize("turns", [1, 12])
def test_opening_a_stream_asks_the_same_however_long_the_conversation_is(
    alice: User, alices: Client, model: LanguageModel, turns: int
) -> None:
    make_long_conversation(alice, model, turns)
    answer = Message.objects.latest("pk")
    assert queries_of(alices, reverse("answer_events", args=[answer.pk])) == 3

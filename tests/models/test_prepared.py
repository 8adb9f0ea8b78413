"""A prepared look-up finds what its query set finds, and asks the same."""

import uuid

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from conversations.models import Message
from conversations.models.keys import LARGEST_KEY
from conversations.models.messages import answer_to_follow, answer_to_show, texts_to
from conversations.models.prepared import Prepared
from tests.factories import make_conversation, make_turn, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@Prepared
def named(name: str, other_than: int) -> QuerySet[User]:
    return User.objects.filter(username=name).exclude(pk=other_than)


def test_arguments_reach_their_places_at_each_call() -> None:
    alice, bob = make_user("alice"), make_user("bob")
    assert named("alice", bob.pk) == [alice]
    assert named("bob", alice.pk) == [bob]
    assert named("bob", bob.pk) == []
    assert named.first("alice", 0) == alice
    assert named.first("nobody", 0) is None


def test_a_number_no_key_can_be_finds_nothing() -> None:
    assert answer_to_follow(LARGEST_KEY + 1, 1) == []


def test_it_asks_what_its_query_set_asks() -> None:
    turn = make_turn(make_conversation(make_user("alice")))
    with CaptureQueriesContext(
        connection,
    ) as prepared:
        found = answer_to_show.first(turn.answer.pk)
        assert found is not None
        assert found.generation.model is not None
        assert str(found.generation.model.provider.protocol)
    with CaptureQueriesContext(connection) as plain:
        list(Message.objects.shown().filter(pk=turn.answer.pk).prefetch_related(None))
    assert [query["sql"] for query in prepared] == [query["sql"] for query in plain]


def test_rows_that_are_no_models_come_as_they_are() -> None:
    turn = make_turn(make_conversation(make_user("alice")))
    assert texts_to(turn.answer.pk) == [("user", turn.prompt.text, None), ("assistant", "", None)]


def test_two_calls_share_no_row() -> None:
    make_user(name := uuid.uuid4().hex)
    first, second = named.first(name, 0), named.first(name, 0)
    assert first is not None
    assert first is not second

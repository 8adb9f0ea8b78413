"""What is SQLite's own in searching: triggers that outlive migrations, and parts of words that are too short for its index."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection

from chatsite import schema
from conversations.models import Message, Role, search_sqlite
from conversations.models import search_triggers as triggers
from conversations.models.search import find_messages
from conversations.models.search_terms import Terms
from tests.factories import make_conversation

pytestmark = [pytest.mark.django_db, pytest.mark.skipif("connection.vendor != 'sqlite'", reason="about SQLite")]
OURS = apps.get_app_config("conversations")


def say(owner: User, *texts: str) -> None:
    conversation = make_conversation(owner)
    for text in texts:
        Message.objects.create(conversation=conversation, role=Role.USER, text=text)


def found(owner: User, typed: str) -> list[str]:
    return [message.text for message in find_messages(owner.pk, Terms.of(typed)).messages]


def begin_migrations() -> None:
    migration = import_module("conversations.migrations.0008_search").Migration("0008_search", "conversations")
    triggers.drop(connection.alias, OURS, [(migration, False)])


def test_after_migrations_the_triggers_and_the_whole_index_are_made_again(alice: User) -> None:
    """Django alters a table of SQLite by making it anew: that loses triggers, and fails for a table that a trigger names."""
    say(alice, "there before")
    begin_migrations()
    assert triggers.are_missing(connection)
    say(alice, "written meanwhile")
    triggers.make(connection.alias)
    assert not triggers.are_missing(connection)
    say(alice, "and after")
    assert [len(found(alice, word)) for word in ("there ", "meanwhile ", "after ")] == [1, 1, 1]


def test_migrations_of_others_leave_the_triggers_alone() -> None:
    triggers.drop(connection.alias, OURS, [])
    assert not triggers.are_missing(connection)


def test_one_that_was_cut_off_keeps_the_site_from_starting() -> None:
    schema.check_search(connection)
    begin_migrations()
    with pytest.raises(SystemExit, match=r"search index .* manage\.py migrate"):
        schema.check_search(connection)


def test_a_part_too_short_for_the_index_is_looked_for_in_the_newest_messages(alice: User) -> None:
    say(alice, "雨天", "rain", "晴天", "雨雪")
    assert found(alice, "雨") == ["雨雪", "雨天"]
    conversation = make_conversation(alice)
    Message.objects.bulk_create(Message(conversation=conversation, role=Role.USER, text="晴") for _ in range(search_sqlite.NEWEST - 2))
    assert found(alice, "雨") == ["雨雪"]

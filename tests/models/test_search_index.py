"""The databases keep their search index in step by themselves, whoever changes what: the ORM, a cascade, SQL, a migration."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from conversations.models import Conversation, Message, Role
from conversations.models import search_triggers as triggers
from conversations.models.search import find_messages, find_titles
from conversations.models.search_terms import Terms
from tests.factories import make_conversation, make_turn, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
OURS = apps.get_app_config("conversations")
TABLES = {
    "sqlite": ("conversations_searchable", "conversations_words", "conversations_trigrams", "conversations_titles"),
    "postgresql": ("conversations_searchable", "conversations_searchable_title"),
}


def add(conversation: Conversation, text: str) -> Message:
    return Message.objects.create(conversation=conversation, role=Role.USER, text=text)


def count(owner: User, typed: str) -> int:
    return len(find_messages(owner.pk, Terms.of(typed)).messages)


def titles(owner: User, typed: str) -> int:
    return len(find_titles(owner.pk, Terms.of(typed)))


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def rows() -> dict[str, int]:
    """How much each table of the index holds; of FTS5 the words that are left in it."""
    with connection.cursor() as cursor:
        result = {}
        for table in TABLES[connection.vendor]:
            source = table
            if connection.vendor == "sqlite" and table != "conversations_searchable":
                source = f"temp.{table}_left"
                cursor.execute(f"CREATE VIRTUAL TABLE IF NOT EXISTS {source} USING fts5vocab(main, {table}, instance)")
            cursor.execute(f"SELECT count(*) FROM {source}")
            result[table] = cursor.fetchone()[0]
    return result


def test_a_changed_text_is_found_by_what_it_says_now(alice: User) -> None:
    message = add(make_conversation(alice), "first words 手机的电池")
    Message.objects.filter(pk=message.pk).update(text="second thoughts")
    assert (count(alice, "first"), count(alice, "手机的电池"), count(alice, "second")) == (0, 0, 1)
    message.text = "third 机器学习"
    message.save()
    assert (count(alice, "second"), count(alice, "third"), count(alice, "机器学习")) == (0, 1, 1)


def test_an_answer_is_found_once_its_text_is_there(alice: User) -> None:
    turn = make_turn(owner=alice, prompt="a question")
    assert count(alice, "reply") == 0
    Message.objects.filter(pk=turn.answer.pk).update(text="the reply")
    assert count(alice, "reply") == 1


def test_a_renamed_conversation_is_found_by_its_name(alice: User) -> None:
    conversation = make_conversation(alice, title="Before")
    conversation.rename("After")
    assert (titles(alice, "before"), titles(alice, "after")) == (0, 1)


def test_what_is_kept_after_all_is_found_from_then_on(alice: User) -> None:
    conversation = make_conversation(alice, title="A visit", is_temporary=True)
    add(conversation, "passing words 手机的电池")
    assert not any(rows().values()), "a temporary conversation leaves nothing in the index"
    for is_temporary, expected in ((False, 1), (True, 0), (False, 1)):
        Conversation.objects.filter(pk=conversation.pk).update(is_temporary=is_temporary)
        assert (count(alice, "passing"), count(alice, "手机的电池"), titles(alice, "visit")) == (expected, expected, expected)


@pytest.mark.parametrize("way", ["message", "conversation", "owner", "sql"])
def test_what_is_removed_for_good_leaves_nothing_in_the_index(way: str) -> None:
    owner = make_user()
    conversation = make_conversation(owner, title="Gone")
    first, second = add(conversation, "gone words"), add(conversation, "手机的电池 gone")
    assert all(rows().values())
    if way == "message":
        second.delete()
        assert (count(owner, "words"), count(owner, "gone"), count(owner, "手机的电池")) == (1, 1, 0)
        first.delete()
        conversation.delete()
    elif way == "conversation":
        conversation.delete()
    elif way == "owner":
        owner.delete()
    else:
        sql("DELETE FROM conversations_message")
        sql("DELETE FROM conversations_conversation")
    assert not any(rows().values())


def test_a_row_written_by_sql_is_found(alice: User) -> None:
    conversation = make_conversation(alice)
    message = add(conversation, "")
    sql(f"UPDATE conversations_message SET text = 'written by hand' WHERE id = {message.pk}")
    assert count(alice, "hand") == 1


def test_the_migration_indexes_what_was_there_before(alice: User) -> None:
    migration = import_module("conversations.migrations.0008_search")
    triggers.drop(connection.alias, OURS, [(migration.Migration("0005", "conversations"), True)])
    editor = SimpleNamespace(connection=connection)
    migration.backwards(None, editor)
    conversation = make_conversation(alice, title="An old title")
    add(conversation, "old words 手机的电池")
    add(make_conversation(alice, is_temporary=True), "old temporary words")
    migration.forwards(None, editor)
    triggers.make(connection.alias)
    assert (count(alice, "old"), count(alice, "手机的电池"), titles(alice, "old")) == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_emptied_tables_leave_nothing_in_the_index(alice: User) -> None:
    add(make_conversation(alice), "to be flushed 手机的电池")
    call_command("flush", interactive=False, verbosity=0)
    assert not any(rows().values())

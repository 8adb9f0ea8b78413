"""Copies of a path: made by the database, in few statements, whole or not there."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from conversations.models import Conversation, Message, copies
from conversations.models.copies import BATCH, COPY, copy_path
from tests.factories import make_conversation, make_path

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def copied(head: Message, owner: User, **fields: Any) -> Conversation:
    return copy_path(head.pk, **{"owner": owner, "title": "A copy"} | fields)


def test_a_copy_is_the_path_and_each_message_follows_the_one_before_it(alice: User, bob: User) -> None:
    path = make_path(make_conversation(alice), 6)
    make_path(path[0].conversation, 2, parent=path[1])  # another branch
    copy = copied(path[-1], bob)
    found = list(Message.objects.path_to(copy.head_id))
    assert [(message.role, message.text, message.created_at) for message in found] == [
        (message.role, message.text, message.created_at) for message in path
    ]
    assert [message.model_name for message in found] == ["", "Model"] * 3
    assert [message.parent_id for message in found] == [None, *[message.pk for message in found[:-1]]]
    assert len({message.request_key for message in (*found, *path)}) == 12
    assert copy.messages.count() == 6


def test_each_column_of_a_message_is_copied_or_is_the_copys_own() -> None:
    columns = {field.column for field in Message._meta.concrete_fields}
    taken = set(COPY.partition("(")[2].partition(")")[0].replace(" ", "").split(","))
    assert columns - taken == {"id", "parent_id", "continues_id", "deleted_at"}


@pytest.mark.parametrize("batches", [1, 3])
def test_it_asks_the_same_however_many_messages_a_batch_has(alice: User, batches: int) -> None:
    head = make_path(make_conversation(alice), BATCH * batches)[-1]
    with CaptureQueriesContext(connection) as captured:
        copy = copied(head, alice)
    statements = [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == 5 + batches
    assert Message.objects.path_to(copy.head_id).count() == BATCH * batches


def test_long_texts_end_a_batch_too(alice: User) -> None:
    path = make_path(make_conversation(alice), 4)
    Message.objects.update(text="x" * (copies.BATCH_CHARACTERS + 1))
    with CaptureQueriesContext(connection) as captured:
        copied(path[-1], alice)
    assert sum("INSERT INTO conversations_message " in query["sql"] for query in captured) == 4


def test_one_that_is_there_already_leaves_nothing_of_the_second(alice: User) -> None:
    head = make_path(make_conversation(alice), 2)[-1]
    copy = copied(head, alice, source_key="share:1")
    with pytest.raises(IntegrityError):
        copied(head, alice, source_key="share:1")
    assert set(alice.conversations.all()) == {head.conversation, copy}
    assert Message.objects.count() == 4


def test_a_temporary_one_is_never_in_the_trash(alice: User) -> None:
    copy = copied(make_path(make_conversation(alice, is_temporary=True), 2)[-1], alice, is_temporary=True)
    copy.refresh_from_db()
    assert (copy.is_temporary, copy.deleted_at, copy.messages.count()) == (True, None, 2)

"""Copies of a path, written by the database itself: however long the path is, none of its texts passes through this process.

A long one takes several transactions, so that others can write between them. Until the last one it is shown to nobody; what a process
leaves of it that dies goes as the trash does.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Length
from django.utils import timezone

from .conversations import COMING, Conversation
from .messages import Message
from .trash import erase

BATCH = 500  # messages of one transaction
BATCH_CHARACTERS = 250_000  # after which it ends, too: the search takes in all of them
NEW_KEY = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "gen_random_uuid()"}
# Keys are given in the order of the rows, so that a copy, too, has a larger one than what it follows.
COPY = """
INSERT INTO conversations_message (conversation_id, role, text, reasoning, tool_events, model_name, created_at, edited_at, request_key)
SELECT %s, message.role, message.text, message.reasoning, message.tool_events, COALESCE(generation.model_name, message.model_name),
    message.created_at, message.edited_at, {new_key}
FROM conversations_message AS message LEFT JOIN conversations_generation AS generation ON generation.message_id = message.id
WHERE message.id IN ({keys}) ORDER BY message.id
"""
LINK = """
UPDATE conversations_message SET parent_id = path.parent FROM (
    SELECT id, LAG(id) OVER (ORDER BY id) AS parent FROM conversations_message WHERE conversation_id = %s
) AS path WHERE conversations_message.id = path.id AND path.parent IS NOT NULL
"""


def copy_path(head_id: int, source_key: str = "", **fields: Any) -> Conversation:
    """Make a conversation of `fields` that has a copy of the path to a message, with the names of the models that wrote it.

    Their generations are not copied, and no row of the ledger. Raises IntegrityError where its owner has one of that `source_key`.
    """
    is_temporary = fields.get("is_temporary", False)  # nobody looks for it, and in the trash it would be gone at once
    deleted_at = None if is_temporary else timezone.now()
    copy = Conversation.objects.create(source_key=COMING + secrets.token_hex(16), deleted_at=deleted_at, has_own_title=True, **fields)
    try:
        path = Message.objects.path_to(head_id).active().annotate(size=Length("text")).values_list("pk", "size")
        for batch in batches(path, size=lambda row: row[1]):
            write(copy, [pk for pk, _ in batch])
        show(copy, source_key)
    except Exception:
        erase(copy.messages.all())
        copy.delete()
        raise
    return copy


def batches[T](messages: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Cut messages into such as may be written in one transaction; `size` says how many characters one has."""
    batch: list[T] = []
    characters = 0
    for message in messages:
        batch.append(message)
        characters += size(message)
        if len(batch) == BATCH or characters > BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def write(copy: Conversation, keys: list[int]) -> None:
    statement = COPY.format(new_key=NEW_KEY[connection.vendor], keys=", ".join(["%s"] * len(keys)))
    with connection.cursor() as cursor:
        cursor.execute(statement, [copy.pk, *keys])


@transaction.atomic
def show(copy: Conversation, source_key: str) -> None:
    """Link the messages, each to the one before it, and give the conversation the name and the place that it is to have."""
    with connection.cursor() as cursor:
        cursor.execute(LINK, [copy.pk])
    copy.head = copy.messages.order_by("-pk").defer("text", "reasoning", "tool_events").first()
    copy.source_key, copy.deleted_at = source_key, None
    copy.save(update_fields=["head", "source_key", "deleted_at"])

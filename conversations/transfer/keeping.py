"""Keeps a draft as a conversation of a person: all of it, or nothing that anybody sees.

A long one takes several transactions, so that others can write between them. Until the last it has a name of its own and lies in a trash
that nobody is shown; what a process leaves there that dies goes as the trash does, and the same draft is kept anew.
"""

import secrets
from collections.abc import Callable

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from conversations.models import Conversation, Folder, Message
from conversations.models.conversations import COMING
from conversations.models.copies import batches
from conversations.models.folders import FOLDER_MAX_CHARACTERS
from conversations.models.keys import key_in
from conversations.models.trash import erase

from .drafts import Draft, DraftMessage
from .names import site_key

LINK = "UPDATE conversations_message SET parent_id = %s WHERE id = %s"


def keep_new(owner: User, draft: Draft, rest: Callable[[], None] = lambda: None) -> bool:
    """Keep a draft unless the person has it already; say whether it was new. Raises Refused for messages that are no tree.

    Between two transactions it calls `rest`, which may end the work by raising.
    """
    if is_known(owner, draft):
        return False
    try:
        keep(owner, draft, rest)
    except IntegrityError:
        if is_known(owner, draft):  # since a moment ago
            return False
        raise
    return True


def is_known(owner: User, draft: Draft) -> bool:
    """Whether the person has it, also in the trash: it was imported before, or is the conversation that was exported here."""
    own = f"chatsite:{site_key()}:"
    number = draft.source_key.removeprefix(own) if draft.source_key.startswith(own) else ""
    conversations = Conversation.objects.filter(owner=owner)
    if (key := key_in(number)) and conversations.filter(pk=key).exists():
        return True
    return conversations.filter(source_key=draft.source_key).exists()


def keep(owner: User, draft: Draft, rest: Callable[[], None]) -> None:
    """Raises Refused, and IntegrityError where the same was kept a moment ago."""
    order = list(draft.ordered())
    first, *others = batches(order, size=lambda message: message.size)
    with transaction.atomic():
        conversation = begin(owner, draft, order)
        keys = put(conversation, first, {})
        if not others:
            show(conversation, draft, keys[end_of(draft, order)])
    try:
        for batch in others:
            rest()
            with transaction.atomic():
                keys |= put(conversation, batch, keys)
        if others:
            show(conversation, draft, keys[end_of(draft, order)])
    except Exception:
        erase(conversation.messages.all())
        conversation.delete()
        raise


def begin(owner: User, draft: Draft, order: list[DraftMessage]) -> Conversation:
    now = timezone.now()
    began = draft.created_at or min((message.created_at for message in order if message.created_at), default=now)
    ended = draft.updated_at or max((message.created_at for message in order if message.created_at), default=began)
    return Conversation.objects.create(
        owner=owner,
        title=draft.name(),
        has_own_title=True,
        system_prompt=draft.system_prompt,
        folder=Folder.objects.named(owner, draft.folder[:FOLDER_MAX_CHARACTERS]) if draft.folder else None,
        pinned_at=now if draft.is_pinned else None,
        archived_at=now if draft.is_archived else None,
        source_key=COMING + secrets.token_hex(16),
        created_at=began,
        updated_at=max(began, ended),
        deleted_at=now,
    )


def put(conversation: Conversation, batch: list[DraftMessage], known: dict[str, int]) -> dict[str, int]:
    """Write messages, each behind the one it answers, which is in the batch or `known`; return their keys."""
    written = Message.objects.bulk_create(row_of(message, conversation, known) for message in batch)
    keys = {message.key: row.pk for message, row in zip(batch, written, strict=True)}
    link = [(keys[message.parent], keys[message.key]) for message in batch if message.parent in keys]
    with connection.cursor() as cursor:
        cursor.executemany(LINK, link)  # the keys are known only now
    return keys


def show(conversation: Conversation, draft: Draft, head: int) -> None:
    """Give it the name and the place that it is to have. Raises IntegrityError where the same was kept a moment ago."""
    conversation.source_key, conversation.head_id, conversation.deleted_at = draft.source_key, head, None
    conversation.save(update_fields=["source_key", "head", "deleted_at"])


def row_of(message: DraftMessage, conversation: Conversation, known: dict[str, int]) -> Message:
    return Message(
        conversation=conversation,
        parent_id=known.get(message.parent or ""),
        role=message.role,
        text=message.text,
        reasoning=message.reasoning,
        tool_events=message.tool_events,
        model_name=message.model_name,
        created_at=message.created_at or conversation.created_at,
        edited_at=message.edited_at,
    )


def end_of(draft: Draft, order: list[DraftMessage]) -> str:
    """The message at which the shown path ends: behind the one that was shown last, as far as the newest answers lead."""
    newest = {message.parent: message.key for message in order}  # of those that answer the same, the last counts
    key = draft.head if any(message.key == draft.head for message in order) else newest[None]
    while key in newest:
        key = newest[key]
    assert key is not None
    return key

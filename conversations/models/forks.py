"""Forks: a conversation that begins with a copy of another one, as far as a message of it."""

from itertools import pairwise

from django.db import connection, transaction

from .conversations import TITLE_MAX_CHARACTERS, Conversation
from .generations import Generation
from .messages import Message
from .turns import TurnRefused, refuse_if_gone

UNFINISHED = "This answer is still being written. Wait for its end or stop it, then fork."
SUFFIX = " (fork)"
COPIED = ("role", "text", "reasoning", "created_at", "edited_at")
LINK = "UPDATE conversations_message SET parent_id = %s WHERE id = %s"


@transaction.atomic
def fork(message: Message) -> Conversation:
    """Copy the path to a message into a new conversation of the same person, where what follows touches the old one no more.

    The messages are copied, with the name of the model that wrote them; not their generations, and no row of the ledger. Raises
    TurnRefused for an answer that is being written or has been deleted.
    """
    refuse_if_gone(message)
    if Generation.objects.live().filter(message=message).exists():
        raise TurnRefused(UNFINISHED)
    old = message.conversation
    conversation = Conversation.objects.create(
        owner_id=old.owner_id,
        title=old.title[: TITLE_MAX_CHARACTERS - len(SUFFIX)] + SUFFIX,
        has_own_title=True,
        model_id=old.model_id,
        system_prompt=old.system_prompt,
        parameters=old.parameters,
        folder_id=old.folder_id,
        is_temporary=old.is_temporary,
    )
    copies = Message.objects.bulk_create(
        copy_of(original, conversation) for original in Message.objects.path_to(message.pk).select_related("generation")
    )
    link(copies)
    conversation.head = copies[-1]
    conversation.save(update_fields=["head"])
    return conversation


def copy_of(original: Message, conversation: Conversation) -> Message:
    copied = {name: getattr(original, name) for name in COPIED}
    return Message(conversation=conversation, model_name=original.written_by, **copied)


def link(path: list[Message]) -> None:
    """Make each message the parent of the next: their keys are known only once all are written."""
    with connection.cursor() as cursor:
        cursor.executemany(LINK, [(parent.pk, child.pk) for parent, child in pairwise(path)])

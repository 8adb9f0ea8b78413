"""Answers that a person has written anew: each stands beside the one it was made from, which stays as the model wrote it."""

import uuid

from django.db import IntegrityError, transaction
from django.utils import timezone

from .conversations import Conversation
from .messages import Message, Role
from .turns import locked, refuse_if_busy, refuse_if_gone


def rewrite(answer: Message, text: str, request_key: uuid.UUID) -> Message:
    """Put an answer with this text beside another, and show it; return it, or the other if it says the same already.

    The same text under the same key is one answer. Raises TurnRefused while an answer of the conversation is being written, and
    where the turn has been deleted.
    """
    if text == answer.text:
        return answer
    try:
        return _rewrite(answer, text, request_key)
    except IntegrityError:  # the key is taken
        written = Message.objects.active().filter(request_key=request_key, parent=answer.parent_id, text=text)
        return written.filter(conversation=answer.conversation_id).first() or _rewrite(answer, text, uuid.uuid4())


@transaction.atomic
def _rewrite(answer: Message, text: str, request_key: uuid.UUID) -> Message:
    conversation = locked(answer.conversation)
    refuse_if_busy(conversation)
    refuse_if_gone(answer)
    now = timezone.now()
    written = Message.objects.create(
        conversation=conversation,
        parent_id=answer.parent_id,
        role=Role.ASSISTANT,
        text=text,
        model_name=answer.written_by,
        request_key=request_key,
        edited_at=now,
    )
    Conversation.objects.filter(pk=conversation.pk).update(head=written, rival=None, updated_at=now)
    return written

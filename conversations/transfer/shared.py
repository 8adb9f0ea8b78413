"""What is shared, taken over by somebody who reads it and wants to go on: a copy of the messages, and of nothing else."""

from hashlib import sha256

from django.contrib.auth.models import User

from conversations.models import Conversation, Role, Share

from .drafts import Draft, DraftMessage
from .keeping import keep_new
from .reading import path_to


def continued(person: User, share: Share) -> Conversation:
    """Return the person's own copy, made now or the last time they asked."""
    draft = draft_of(share)
    keep_new(person, draft)
    copy = Conversation.objects.get(owner=person, source_key=draft.source_key)
    copy.restore()  # it may have been in the trash
    return copy


def draft_of(share: Share) -> Draft:
    messages = [
        DraftMessage(
            key=str(message.pk),
            parent=str(message.parent_id),
            role=Role(message.role),
            text=message.text,
            reasoning=message.reasoning,
            model_name=message.written_by,
            created_at=message.created_at,
        )
        for message in path_to(share.head_id)
    ]
    return Draft(f"share:{sha256(share.token.encode()).hexdigest()}", share.title, messages)

"""What is shared, taken over by somebody who reads it and wants to go on: a copy of the messages, and of nothing else."""

from contextlib import suppress
from hashlib import sha256

from django.contrib.auth.models import User
from django.db import IntegrityError

from conversations.models import Conversation, Share
from conversations.models.copies import copy_path


def continued(person: User, share: Share) -> Conversation:
    """Return the person's own copy, made now or the last time they asked."""
    key = f"share:{sha256(share.token.encode()).hexdigest()}"
    copies = Conversation.objects.filter(owner=person, source_key=key)
    if not copies.exists():
        with suppress(IntegrityError):  # asked for twice at once
            copy_path(share.head_id, key, owner=person, title=share.title)
    copy = copies.get()
    copy.restore()  # it may have been in the trash
    return copy

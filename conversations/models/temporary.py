"""Temporary conversations: in no list, and gone for good soon after nobody has them open (docs/decisions/0018).

What a page that has one open tells of itself is kept in `updated_at`: the moment of the last turn or sign of life.
"""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from .conversations import Conversation, ConversationQuerySet

TIME_OUT = timedelta(hours=1)  # without a turn or a sign of life it counts as closed
GRACE = timedelta(minutes=1)  # from the moment its page is left: a reload comes back in time, and so does another tab


def closed() -> ConversationQuerySet:
    """Those that nobody has open any more."""
    is_over = Q(updated_at__lt=timezone.now() - TIME_OUT) | Q(deleted_at__isnull=False)
    return Conversation.objects.filter(is_over, is_temporary=True)


def stay(conversation: Conversation) -> None:
    """Its page is open."""
    Conversation.objects.active().filter(pk=conversation.pk, is_temporary=True).update(updated_at=timezone.now())


def leave(conversation: Conversation) -> None:
    """Its page was left: it closes soon, unless the person comes back."""
    Conversation.objects.active().filter(pk=conversation.pk, is_temporary=True).update(updated_at=timezone.now() - TIME_OUT + GRACE)

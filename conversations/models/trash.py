"""The end of what was deleted: rows that go for good. The ledger stays, with nothing in it that says what was talked about."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from . import temporary
from .conversations import Conversation, ConversationQuerySet
from .folders import Folder
from .generations import Generation
from .imports import Import
from .messages import Message
from .shares import Share

BATCH = 100  # rows of one transaction: who writes meanwhile waits no longer than for these


def gone_at(deleted_at: datetime) -> datetime:
    """When what was deleted then is removed for good, or soon after."""
    return deleted_at + timedelta(days=settings.TRASH_DAYS)


def is_over() -> dict[str, datetime]:
    """The condition of what has been in the trash for as long as it is kept."""
    return {"deleted_at__lt": over_before()}


def over_before() -> datetime:
    return timezone.now() - timedelta(days=settings.TRASH_DAYS)


def erasable(conversations: ConversationQuerySet) -> ConversationQuerySet:
    """Those in which nothing is being written: what that costs is not in the ledger yet."""
    live = Generation.objects.live().filter(message__conversation=OuterRef("pk"))
    return conversations.exclude(Exists(live))


# In the order in which they go.
EXPIRED: dict[str, Callable[[], QuerySet[Any]]] = {
    "conversations in the trash": lambda: erasable(Conversation.objects.filter(**is_over())),
    "temporary conversations": lambda: erasable(temporary.closed()),
    "deleted messages": lambda: Message.objects.filter(**is_over()).order_by(),
    "deleted folders": lambda: Folder.objects.filter(**is_over()),
    "links that ended": lambda: Share.objects.ended(over_before()).order_by(),
    "imports that are over": lambda: Import.objects.filter(finished_at__lt=over_before()).order_by(),
}


def purge() -> dict[str, int]:
    """Remove for good all whose time is over; return how many of each."""
    return {name: erase(rows()) for name, rows in EXPIRED.items()}


def to_purge() -> dict[str, int]:
    """How many of each `purge` would find now."""
    return {name: rows().count() for name, rows in EXPIRED.items()}


def sweep_temporary() -> list[int]:
    """Remove temporary conversations that are closed; return the generations that were asked to stop, whose turn is the next time."""
    erase(erasable(temporary.closed()))
    return temporary.closed().trash()


def erase(rows: "QuerySet[Any]") -> int:
    """Remove rows for good, with all that belongs to them, a batch at a time; return how many.

    The newest go first: messages are newer than those they follow, so no batch takes others along.
    """
    keys = sorted(rows.values_list("pk", flat=True), reverse=True)
    return sum(_erase(rows, keys[start : start + BATCH]) for start in range(0, len(keys), BATCH))


@transaction.atomic
def _erase(rows: "QuerySet[Any]", keys: list[int]) -> int:
    """Ask again for what makes them erasable: one may have been restored meanwhile."""
    _, counts = rows.filter(pk__in=keys).delete()
    return counts.get(rows.model._meta.label, 0)

"""A conversation as staff read it: each prompt and answer in order, of every branch, with what it took to write it.

The texts are cut in the database: one may be megabytes long, and its own page has the whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.db.models.functions import Length, Substr
from django.urls import reverse
from django.utils.html import format_html

from conversations.models import Conversation, Generation, Message, Role
from conversations.models.keys import key_in

from .amounts import plain
from .words import in_words

PER_PAGE = 50
SHOWN_CHARACTERS = 20_000
LONG_COLUMNS = ("text", "reasoning", "tool_events", "generation__error_detail")


@dataclass(frozen=True, slots=True)
class Entry:
    """One message as text; the template escapes it."""

    pk: int
    role: str
    created_at: datetime
    model: str
    status: str
    cost: str
    error: str
    text: str
    reasoning: str
    is_cut: bool
    is_live: bool
    is_left: bool  # on a branch that is not shown
    replies_to: int | None  # the message before it, where that is not the entry before
    continues: int | None
    edited_at: datetime | None
    deleted_at: datetime | None


def link_to(message: Message) -> str:
    """Return a link to a message where it stands in its conversation."""
    url = reverse("admin:conversations_conversation_change", args=[message.conversation_id])
    return format_html('<a href="{}?message={}#message-{}">Transcript</a>', url, message.pk, message.pk)


def page_of(conversation: Conversation, number: str | None, message: str | None = None) -> Page[Any]:
    """Return a page of messages, oldest first: that of a message, or that with a number; the first where neither is one."""
    if key := key_in(message):
        before = Message.objects.filter(conversation=conversation, pk__lt=key).count()
        number = str(before // PER_PAGE + 1)
    return Paginator(messages_of(conversation), PER_PAGE).get_page(number)


def messages_of(conversation: Conversation) -> QuerySet[Message]:
    return (
        Message.objects.filter(conversation=conversation)
        .defer(*LONG_COLUMNS)
        .select_related("generation")
        .prefetch_related("generation__usages")
        .annotate(
            beginning=Substr("text", 1, SHOWN_CHARACTERS),
            reasoning_beginning=Substr("reasoning", 1, SHOWN_CHARACTERS),
            length=Length("text"),
        )
        .order_by("pk")
    )


def entries(page: Page[Any], conversation: Conversation) -> Iterator[Entry]:
    path = Message.objects.path_to(conversation.head_id).filter(pk__in=[message.pk for message in page])
    shown = set(path.values_list("pk", flat=True))
    before = None
    for message in page:
        generation = getattr(message, "generation", None)
        yield Entry(
            pk=message.pk,
            role="Prompt" if message.role == Role.USER else "Answer",
            created_at=message.created_at,
            model=message.written_by,
            status=generation.get_status_display() if generation else "",
            cost=cost_of(generation) if generation else "",
            error=error_of(generation) if generation else "",
            text=message.beginning,
            reasoning=message.reasoning_beginning,
            is_cut=message.length > SHOWN_CHARACTERS,
            is_live=bool(generation and generation.is_live),
            is_left=message.pk not in shown,
            replies_to=message.parent_id if message.parent_id != before else None,
            continues=message.continues_id,
            edited_at=message.edited_at,
            deleted_at=message.deleted_at,
        )
        before = message.pk


def cost_of(generation: Generation) -> str:
    """Return what all attempts cost together; "" before the first has ended."""
    usages = generation.attempts
    estimated = " (estimated)" if any(usage.is_estimated for usage in usages) else ""
    return f"{plain(sum((usage.cost for usage in usages), Decimal(0)))} US dollars{estimated}" if usages else ""


def error_of(generation: Generation) -> str:
    if not generation.error_code:
        return ""
    return f"{in_words(generation.error_code)}. {generation.error_sentence}"

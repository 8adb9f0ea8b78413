"""What is exported: the finished messages of a conversation, read in batches, so that its length costs no memory."""

from collections.abc import Iterator

from django.contrib.auth.models import User

from conversations.models import Conversation, Message
from conversations.models.generations import LIVE
from conversations.models.messages import MessageQuerySet

BATCH = 200


def conversations_of(owner: User) -> Iterator[Conversation]:
    """All of a person's conversations that are not deleted, oldest first. No query stays open between two of them."""
    conversations = Conversation.objects.active().filter(owner=owner, is_temporary=False).select_related("model", "folder").order_by("pk")
    last = 0
    while batch := list(conversations.filter(pk__gt=last)[:BATCH]):
        yield from batch
        last = batch[-1].pk


def whole_tree(conversation: Conversation) -> Iterator[Message]:
    """The messages of every branch, parents before children."""
    return in_batches(Message.objects.filter(conversation=conversation))


def path_to(head_id: int | None) -> Iterator[Message]:
    """The messages of a path, oldest first, each with its rendering if one is kept."""
    return in_batches(Message.objects.path_to(head_id), "rendering")


def in_batches(messages: MessageQuerySet, *related: str) -> Iterator[Message]:
    """The finished ones, oldest first. Their keys are read once: it may take a walk up a tree to find them."""
    finished = messages.active().exclude(generation__status__in=LIVE).order_by("pk")
    keys = list(finished.values_list("pk", flat=True))
    told = Message.objects.active().select_related("generation__model__provider", *related).defer("generation__error_detail")
    told = told.prefetch_related("generation__usages").order_by("pk")
    for start in range(0, len(keys), BATCH):
        yield from told.filter(pk__in=keys[start : start + BATCH])

"""Branches: which of several prompts or answers that stand beside each other is shown, and turns that are deleted and restored.

The chosen path is that to the conversation's head, which is always a message that stands, with nothing behind it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from .conversations import Conversation
from .generations import Generation
from .messages import Message, Role
from .refusals import TurnRefused
from .turns import locked, refuse_if_gone

ORPHANED = "The turn before this one has been deleted, too. Restore that first."


@dataclass(frozen=True, slots=True)
class Siblings:
    """Where a message stands among those that have its parent: the second of three, with the keys of its neighbours."""

    number: int
    count: int
    previous: int | None
    next: int | None


class Shown(NamedTuple):
    """The ends of what a conversation shows: of its path and, where two answers are compared, the other one of them."""

    head: int | None
    rival: int | None = None


def siblings_of(messages: Iterable[Message]) -> dict[int, Siblings]:
    """Return, by key, where each message that has siblings stands among them; one query."""
    wanted = list(messages)
    parents = {message.parent_id for message in wanted}
    family = Q(parent__in=parents - {None})
    if None in parents:
        family |= Q(parent=None, conversation=wanted[0].conversation_id)
    rows = Message.objects.active().filter(family).order_by("parent", "pk").values_list("parent", "pk") if wanted else ()
    places = {}
    for _, group in groupby(rows, key=lambda row: row[0]):
        places.update(numbered([pk for _, pk in group]))
    return {message.pk: places[message.pk] for message in wanted if message.pk in places}


def numbered(family: list[int]) -> dict[int, Siblings]:
    if len(family) == 1:
        return {}
    before, behind = [None, *family[:-1]], [*family[1:], None]
    neighbours = enumerate(zip(before, family, behind, strict=True), start=1)
    return {pk: Siblings(number, len(family), previous, next_) for number, (previous, pk, next_) in neighbours}


@transaction.atomic
def choose(message: Message) -> None:
    """Show the path through a message, to the newest end of what followed it. Raises TurnRefused if it has been deleted."""
    conversation = locked(message.conversation)
    refuse_if_gone(message)
    show(conversation, end_below(conversation, message.pk))


@transaction.atomic
def keep(answer: Message) -> list[int]:
    """Close a comparison with the answer that is to stay in the path; return the generations that were asked to stop.

    Raises TurnRefused if it has been deleted.
    """
    conversation = locked(answer.conversation)
    refuse_if_gone(answer)
    others = {conversation.head_id, conversation.rival_id} - {answer.pk} if conversation.rival_id else set()
    show(conversation, end_below(conversation, answer.pk))
    return stop(Generation.objects.live().filter(message__in=others, message__parent=answer.parent_id))


@transaction.atomic
def delete_turn(prompt: Message) -> list[int]:
    """Take a prompt, and all that followed it on every branch, out of the conversation; return the generations asked to stop.

    The path ends before it then, or goes on with what stands beside it. Deleting again what is deleted changes nothing.
    """
    conversation = locked(prompt.conversation)
    if not Message.objects.subtree_of(prompt.pk).active().update(deleted_at=timezone.now()):
        return []
    if conversation.head_id and not is_active(conversation.head_id):
        show(conversation, end_below(conversation, prompt.parent_id))
    return stop(Generation.objects.live().filter(message__in=Message.objects.subtree_of(prompt.pk)))


@transaction.atomic
def restore_turn(prompt: Message, shown: Shown | None = None) -> None:
    """Undo `delete_turn`, and show what was `shown` before it; where nobody says what that was, the newest end of the turn.

    Raises TurnRefused where what it followed has been deleted, too.
    """
    conversation = locked(prompt.conversation)
    prompt.refresh_from_db(fields=["deleted_at"])
    if prompt.deleted_at is None:
        return
    if prompt.parent_id and not is_active(prompt.parent_id):
        raise TurnRefused(ORPHANED, "gone")
    Message.objects.subtree_of(prompt.pk).filter(deleted_at=prompt.deleted_at).update(deleted_at=None)
    if shown and (there := still_there(conversation, shown)):
        show(conversation, *there)
    else:
        show(conversation, end_below(conversation, prompt.pk))


def still_there(conversation: Conversation, shown: Shown) -> Shown | None:
    """What can be shown again: the path that ends behind its head and, if both are ends and answer one prompt, the rival."""
    there = {message.pk: message for message in conversation.messages.active().filter(pk__in=[pk for pk in shown if pk])}
    if shown.head not in there:
        return None
    ends = [end_below(conversation, pk) for pk in shown if pk in there]
    answers = {message.parent_id for message in there.values() if message.role == Role.ASSISTANT}
    is_comparison = len(there) == 2 and ends == list(shown) and answers == {there[shown.head].parent_id}
    return shown if is_comparison else Shown(ends[0])


def is_active(pk: int) -> bool:
    return Message.objects.active().filter(pk=pk).exists()


def end_below(conversation: Conversation, pk: int | None) -> int | None:
    """The newest of what stands behind a message, or the message itself; without one, the newest of the conversation.

    The newest is an end: whatever follows a message has a larger key.
    """
    below = Message.objects.subtree_of(pk) if pk else conversation.messages
    return below.active().order_by("-pk").values_list("pk", flat=True).first()


def show(conversation: Conversation, head: int | None, rival: int | None = None) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(head=head, rival=rival)


def stop(generations: Iterable[Generation]) -> list[int]:
    return [generation.pk for generation in generations if generation.request_stop()]

"""Passages: the run of a path that a page shows at once. However long a conversation is, only a passage of it is read."""

from dataclasses import dataclass

from .branches import Siblings, siblings_of
from .conversations import Conversation
from .messages import Message, MessageQuerySet

LENGTH = 40  # messages: twenty turns


@dataclass(frozen=True, slots=True)
class Passage:
    """Messages in a row, oldest first, of the path that ends at `leaf` (None: nobody has asked); the kept one ends at `head`."""

    messages: list[Message]
    leaf: int | None
    head: int | None
    rival: Message | None = None  # to be compared with the last message

    @property
    def siblings(self) -> dict[int, Siblings]:
        """By key, where those of its messages that have siblings stand among them; one query."""
        return siblings_of(self.messages)

    @property
    def earlier(self) -> int:
        """The message before which there are more; 0 if it begins with the first."""
        first = self.messages[0] if self.messages else None
        return first.pk if first and first.parent_id else 0

    @property
    def later(self) -> int:
        """The message after which there are more; 0 if it goes to the end of its path."""
        return self.last if self.last != self.leaf else 0

    @property
    def last(self) -> int:
        return self.messages[-1].pk if self.messages else 0

    @property
    def is_end(self) -> bool:
        """Whether it goes to the end of the kept path, so that a prompt may follow it."""
        return self.head is None or self.last == self.head


def last_passage(conversation: Conversation, *, after: int = 0) -> Passage:
    """The end of the kept path; of it only what is newer than `after`."""
    path = list(_messages(conversation).path_to(conversation.head_id, limit=LENGTH, after=after).rendered())
    rival = _messages(conversation).rendered().filter(pk=conversation.rival_id).first() if path and conversation.rival_id else None
    return Passage(path, conversation.head_id, conversation.head_id, rival)


def passage_before(conversation: Conversation, pk: int) -> Passage:
    """What comes before a message, on its own branch; empty where there is nothing, or no such message."""
    path = _messages(conversation).path_to(pk, limit=LENGTH + 1).filter(pk__lt=pk)
    return Passage(list(path.rendered()), None, conversation.head_id)


def passage_around(conversation: Conversation, pk: int) -> Passage | None:
    """What is around a message, on the kept path or else on the branch that was used last; None if there is no such message."""
    leaf = conversation.head_id
    around = _from(conversation, pk, leaf)
    if around[:1] != [pk]:  # it is not on the kept path
        leaf = _messages(conversation).subtree_of(pk).order_by("-pk").values_list("pk", flat=True).first()
        if leaf is None:
            return None
        around = _from(conversation, pk, leaf)
    path = _messages(conversation).path_to(around[-1], limit=LENGTH)
    return Passage(list(path.rendered()), leaf, conversation.head_id)


def _from(conversation: Conversation, pk: int, leaf: int | None) -> list[int]:
    """The messages of the path to `leaf` from a message on, where it is one of them, half a passage in all."""
    return list(_messages(conversation).path_to(leaf, after=pk - 1).values_list("pk", flat=True)[: LENGTH // 2 + 1])


def _messages(conversation: Conversation) -> MessageQuerySet:
    return Message.objects.active().filter(conversation=conversation)

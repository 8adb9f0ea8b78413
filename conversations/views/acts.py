"""What can be done to conversations, one or many, and what is said of it: each can be undone but what is for good.

A chosen one is named by its key or, to be put back, with the folder it was in: `7.3`, or `7.0` for none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from django.urls import reverse

from conversations.generation.changes import Kind
from conversations.generation.supervisor import supervisor
from conversations.models.conversations import ConversationQuerySet
from conversations.models.keys import key_in

from .notices import Notice
from .requests import SignedInRequest

MOST = 200  # chosen at once: they stand in the address of the page that offers to undo it


class Choice(NamedTuple):
    """A conversation, and the folder it is to be put back into: 0 for none."""

    pk: int
    folder: int = 0

    def __str__(self) -> str:
        return f"{self.pk}.{self.folder}" if self.folder else str(self.pk)

    @classmethod
    def parse(cls, text: str) -> "Choice | None":
        pk, _, folder = text.partition(".")
        key, place = key_in(pk), key_in(folder)
        return cls(key, place) if key and (place or folder in ("", "0")) else None


@dataclass(frozen=True, slots=True)
class Act:
    """Something that is done to conversations."""

    to: Callable[[ConversationQuerySet], ConversationQuerySet]  # those it can be done to
    how: Callable[[ConversationQuerySet], object]
    kind: Kind
    done: str  # what a notice says of it, and the name of those it was done to in an address
    undo: str = ""


def trash(rows: ConversationQuerySet) -> None:
    for generation_id in rows.trash():
        supervisor.notify(generation_id)


ACTS = {
    "pin": Act(ConversationQuerySet.listed, ConversationQuerySet.pin, Kind.MOVED, "pinned", "unpin"),
    "unpin": Act(ConversationQuerySet.pinned, ConversationQuerySet.unpin, Kind.MOVED, "unpinned", "pin"),
    "archive": Act(ConversationQuerySet.listed, ConversationQuerySet.archive, Kind.MOVED, "archived", "unarchive"),
    "unarchive": Act(ConversationQuerySet.archived, ConversationQuerySet.unarchive, Kind.MOVED, "unarchived", "archive"),
    "delete": Act(ConversationQuerySet.kept, trash, Kind.DELETED, "deleted", "restore"),
    "restore": Act(ConversationQuerySet.trashed, ConversationQuerySet.restore, Kind.RESTORED, "restored"),
}
PHRASES = {"unpinned": "is no longer pinned", "unarchived": "is out of the archive", "moved": "was moved"}


def notice_in_address(request: SignedInRequest) -> Notice | None:
    """What is said of what was done on the page before; None if it was nothing, or has been undone."""
    for done in [*(act.done for act in ACTS.values()), "moved"]:
        if given := request.GET.get(done, ""):
            choices = [choice for text in given.split(",")[:MOST] if (choice := Choice.parse(text))]
            return notice_about(request, done, choices)
    return None


def notice_about(request: SignedInRequest, done: str, choices: list[Choice]) -> Notice | None:
    undo = "put_back" if done == "moved" else next(act.undo for act in ACTS.values() if act.done == done)
    still = ACTS[undo].to if undo in ACTS else ConversationQuerySet.kept
    chosen: ConversationQuerySet = request.user.conversations.filter(pk__in={choice.pk for choice in choices})
    rows = still(chosen).only("title", "folder")
    before = {choice.pk: choice.folder for choice in choices}
    titles = {row.pk: row.title for row in rows if done != "moved" or before[row.pk] != (row.folder_id or 0)}
    if not titles:
        return None
    phrase = PHRASES.get(done, f"was {done}")
    many = phrase.replace("was ", "were ").replace("is ", "are ", 1)
    fields = [("do", undo), ("undone", "1"), ("next", request.path)]
    fields += [("conversation", str(choice)) for choice in choices if choice.pk in titles]
    title, text = (next(iter(titles.values())), f"{phrase}.") if len(titles) == 1 else ("", f"{len(titles)} conversations {many}.")
    return Notice(text, title, reverse("select_conversations"), fields, stays=True)

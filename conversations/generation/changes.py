"""Changes: what a person's open pages are told, so that they stay in step with each other and with what is being written.

A change is numbers and one word of ours, never text: it says where to look, and whoever hears it fetches what is there.
Telling never waits and never fails, and a change that is lost costs only that a page shows it later.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import NamedTuple

from conversations.models import Conversation

from .feed import Followed

KEPT = 32  # changes for each person; a page further behind is told to look at everything
LATELY = 1000  # changes of all, for a page that was loaded before its socket is open


class Kind(StrEnum):
    BEGUN = "begun"  # an answer is queued
    ENDED = "ended"
    BRANCHED = "branched"  # another path is shown, a turn was deleted or restored; or a conversation was forked from one
    RENAMED = "renamed"
    DELETED = "deleted"
    RESTORED = "restored"
    IMPORTED = "imported"  # conversations came from a file; no single one is meant
    MOVED = "moved"  # pinned, archived or filed, or not any more


class Change(NamedTuple):
    """Of the conversation with that key, whose owner is `person`; `answer` where it is about one."""

    person: int
    conversation: int
    kind: str
    answer: int = 0


class PersonFeed(Followed):
    """What has changed for one person lately. It ends with the process."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 0  # of the last change
        self._changes: deque[Change] = deque(maxlen=KEPT)

    def publish(self, change: Change) -> None:
        self._changes.append(change)
        self.number += 1
        self.tell()

    def after(self, number: int) -> list[Change] | None:
        """Return the changes after `number`; None where they are kept no more."""
        missed = self.number - number
        if missed > len(self._changes):
            return None
        return list(self._changes)[len(self._changes) - missed :]


class Changes:
    """One in each process; its supervisor opens and closes it. `tell()` may be called from any thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._has_closed = False
        self._feeds: dict[int, PersonFeed] = {}
        self._lately: deque[tuple[float, Change]] = deque(maxlen=LATELY)

    def open(self, tell_others: Callable[[Iterable[Change]], None]) -> None:
        self._loop, self._tell_others, self._has_closed = asyncio.get_running_loop(), tell_others, False

    def close(self) -> None:
        """End every feed: the pages are to come again, to another process or to the next one here. Others are told until the end."""
        self._has_closed = True
        for feed in list(self._feeds.values()):
            feed.end()

    def tell(self, change: Change) -> None:
        """Tell the pages of the person, here and in other processes, soon. Whoever calls has committed the change."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has closed
                self._loop.call_soon_threadsafe(self._spread, change)

    def _spread(self, change: Change) -> None:
        self.hear([change])
        self._tell_others([change])

    def hear(self, changes: Iterable[Change]) -> None:
        """Tell the pages that are open here."""
        for change in changes:
            self._lately.append((time.time(), change))
            if feed := self._feeds.get(change.person):
                feed.publish(change)

    def since(self, person: int, moment: float) -> list[Change]:
        """Return what changed for a person after `moment` (seconds of the clock), as far as it is remembered."""
        return [change for then, change in self._lately if then > moment and change.person == person]

    @contextmanager
    def hold(self, person: int) -> Iterator[PersonFeed]:
        """The feed of a person, kept for as long as somebody holds it."""
        feed = self._feeds.setdefault(person, PersonFeed())
        feed.has_ended = feed.has_ended or self._has_closed
        feed.holders += 1
        try:
            yield feed
        finally:
            feed.holders -= 1
            if not feed.holders and self._feeds.get(person) is feed:
                del self._feeds[person]


changes = Changes()


def tell_of_import(person: int) -> None:
    """Tell the pages of a person that conversations have come from a file."""
    changes.tell(Change(person, 0, Kind.IMPORTED))


def tell_of(conversation: Conversation, kind: Kind, answer: int = 0) -> None:
    """Tell the pages of its owner that a conversation has changed, once that is committed."""
    changes.tell(Change(conversation.owner_id, conversation.pk, kind, answer))

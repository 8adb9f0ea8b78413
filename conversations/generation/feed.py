"""Feeds: what is committed of the live generations this process runs or shows, kept in memory for those who follow.

A feed holds committed events only (law 1) and no reader of its own: each follower has a place in it, so a slow one
holds nobody up and nothing is copied (law 8).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from conversations.events import JournalEvent

type Listener = Callable[[], None]


class Followed:
    """What can be followed until it ends: its listeners are told of whatever is new. It is kept for as long as somebody holds it."""

    def __init__(self) -> None:
        self.listeners: set[Listener] = set()
        self.has_ended = False
        self.holders = 0

    def end(self) -> None:
        self.has_ended = True
        self.tell()

    def tell(self) -> None:
        for listener in list(self.listeners):
            listener()


class Feed(Followed):
    """The committed events of one generation, in order. It ends when the final status is committed: then the message holds the answer."""

    def __init__(self, generation_id: int) -> None:
        super().__init__()
        self.generation_id = generation_id
        self.events: list[JournalEvent] = []
        self.is_running = False
        self.is_waiting = False  # what comes next cannot be committed, or read, for a while
        self.is_local = False  # this process runs the generation and publishes its commits here

    @property
    def position(self) -> int:
        """The journal position of the last event known here; 0 before the first."""
        return self.events[-1].position if self.events else 0

    def publish(self, events: Iterable[JournalEvent]) -> None:
        """Add events that have been committed; those known already are passed over."""
        self.events.extend(event for event in events if event.position > self.position)
        self.tell()

    def begin(self) -> None:
        self.is_running = True
        self.tell()

    def wait(self) -> None:
        self.is_waiting = True
        self.tell()

    def go_on(self) -> None:
        if self.is_waiting:
            self.is_waiting = False
            self.tell()


class Feeds:
    """The feeds of this process, one for each generation that somebody here runs or follows."""

    def __init__(self) -> None:
        self._feeds: dict[int, Feed] = {}
        self.listeners: set[Listener] = set()  # told when a generation is followed that was not before

    def __iter__(self) -> Iterator[Feed]:
        return iter(list(self._feeds.values()))

    @contextmanager
    def hold(self, generation_id: int) -> Iterator[Feed]:
        """The feed of a generation, kept for as long as somebody holds it."""
        feed = self._feeds.get(generation_id) or self._open(generation_id)
        feed.holders += 1
        try:
            yield feed
        finally:
            feed.holders -= 1
            if not feed.holders and self._feeds.get(generation_id) is feed:
                del self._feeds[generation_id]

    def _open(self, generation_id: int) -> Feed:
        feed = self._feeds[generation_id] = Feed(generation_id)
        for listener in list(self.listeners):
            listener()
        return feed


feeds = Feeds()

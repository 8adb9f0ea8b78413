"""What other processes write, read for all who follow it here: one query a round, however many generations and viewers."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress

from django.db import connection

from chatsite import threads
from conversations.events import JournalEvent
from conversations.models import Generation, Status

from .feed import Feed, feeds
from .patience import insist

READ_SECONDS = 0.5  # between two reads that nobody asked for: the safety net under lost wake-ups
PAUSE_SECONDS = 0.04  # between two reads that were asked for

ENTRIES = """
WITH known (generation_id, position) AS (VALUES {places})
SELECT entry.generation_id, entry.position, entry.kind, entry.data
FROM conversations_journalentry entry
JOIN known ON entry.generation_id = known.generation_id AND entry.position > known.position
ORDER BY entry.generation_id, entry.position
"""

type News = tuple[str, list[JournalEvent]]


class RemoteReader:
    """One in each process. `run()` is its task."""

    def __init__(self) -> None:
        self._wanted = asyncio.Event()

    def hear(self, generation_ids: Iterable[int]) -> None:
        """Read soon, if one of these is followed here."""
        if not remote_ids().isdisjoint(generation_ids):
            self._wanted.set()

    async def run(self) -> None:
        """Read whenever there may be news, until cancelled."""
        feeds.listeners.add(self._wanted.set)
        try:
            while True:
                self._wanted.clear()
                await insist(self._read, remote_feeds, "The journal could not be read")
                await asyncio.sleep(PAUSE_SECONDS)
                with suppress(TimeoutError):
                    async with asyncio.timeout(READ_SECONDS):
                        await self._wanted.wait()
        finally:
            feeds.listeners.discard(self._wanted.set)

    async def _read(self) -> None:
        if remote := remote_feeds():
            news = await news_in_thread([(feed.generation_id, feed.position) for feed in remote])
            for feed, (status, events) in zip(remote, news, strict=True):
                if not feed.is_local:
                    publish(feed, status, events)


def remote_feeds() -> list[Feed]:
    return [feed for feed in feeds if not feed.is_local and not feed.has_ended]


def remote_ids() -> set[int]:
    return {feed.generation_id for feed in remote_feeds()}


def publish(feed: Feed, status: str, events: list[JournalEvent]) -> None:
    if status == Status.RUNNING and not feed.is_running:
        feed.begin()
    if events:
        feed.publish(events)
    if status not in (Status.QUEUED, Status.RUNNING):
        feed.end()


def news(places: Sequence[tuple[int, int]]) -> list[News]:
    """Return, for each generation and the position known of it, its status and the events behind that position.

    The status is read first: of one that has ended since, the events are gone, and the next round tells the end.
    """
    statuses = dict(Generation.objects.filter(pk__in=[pk for pk, _ in places]).values_list("pk", "status"))
    events = entries_behind(places)
    return [(statuses.get(pk, Status.FAILED), events[pk]) for pk, _ in places]


def entries_behind(places: Sequence[tuple[int, int]]) -> dict[int, list[JournalEvent]]:
    query = ENTRIES.format(places=", ".join(["(%s, %s)"] * len(places)))
    found: defaultdict[int, list[JournalEvent]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(query, [number for place in places for number in place])
        for generation_id, position, kind, data in cursor.fetchall():
            found[generation_id].append(JournalEvent(position, kind, data))
    return found


news_in_thread = threads.in_thread(threads.generation, news)

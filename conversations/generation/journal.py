"""The journal: every event of a running generation is committed here before anybody is told (law 1).

One tick, one transaction for all live generations of the process (group commit). Whoever appends waits until the
next commit is due: a provider is read only as fast as its answer is kept, one read carries all that came in between, and
what was read is committed at once.
"""

import asyncio
from collections.abc import Callable, Iterable

from django.conf import settings
from django.db import connection, transaction

from chatsite import threads
from conversations.events import Event, JournalEvent
from conversations.models import Generation
from conversations.models.journal import journal_of

from .feed import Feed
from .patience import insist

INSERT = "INSERT INTO conversations_journalentry (generation_id, position, kind, data) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
# One statement, so that an owner that is cut off in the middle of it leaves no transaction open. The lock makes a takeover come
# before it, and then nothing is written, or after it, and then all of it is seen.
WRITE = """
WITH owned AS MATERIALIZED (
    SELECT id FROM conversations_generation WHERE id = ANY(%s) AND owner = %s AND status = 'running' ORDER BY id FOR SHARE
), written AS (
    INSERT INTO conversations_journalentry (generation_id, position, kind, data)
    SELECT row.* FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[]) AS row (generation_id, position, kind, data)
    JOIN owned ON owned.id = row.generation_id
    ON CONFLICT DO NOTHING
)
SELECT id FROM owned
"""
SECONDS_PER_ANSWER = 0.002  # a busy process commits less often: each answer in a commit costs its viewers a frame
LONGEST_INTERVAL = 0.12  # seconds

type Row = tuple[int, int, str, str]


def write(rows: list[Row], owner: str) -> set[int]:
    """Commit, at once, the rows of those generations that `owner` still runs; return their ids. Raises DatabaseError.

    Who has lost a lease, asleep or cut off for a while, must not write into what somebody else has taken over. Rows that are there
    already are this owner's, too: it did not hear that they were committed.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            ids, positions, kinds, data = (list(column) for column in zip(*rows, strict=True))
            cursor.execute(WRITE, [list(set(ids)), owner, ids, positions, kinds, data])
            return {pk for (pk,) in cursor.fetchall()}
        with transaction.atomic():  # SQLite: nobody else writes from here on
            owned = set(Generation.objects.owned_by(owner).filter(pk__in={row[0] for row in rows}).values_list("pk", flat=True))
            if kept := [row for row in rows if row[0] in owned]:
                cursor.executemany(INSERT, kept)
            return owned


write_in_thread = threads.in_thread(threads.journal, write)


def entries(generation_id: int, after: int = 0) -> list[JournalEvent]:
    """Return what is committed of a generation behind position `after`."""
    return [JournalEvent(*row) for row in journal_of(generation_id, after)]


def interval(answers: int) -> float:
    """Return the seconds between a commit for so many answers and the next one."""
    return min(max(settings.JOURNAL_INTERVAL, answers * SECONDS_PER_ANSWER), LONGEST_INTERVAL)


class Batch:
    """What goes into the next commit."""

    def __init__(self) -> None:
        self.events: dict[Feed, list[JournalEvent]] = {}
        self.committed = asyncio.Event()
        self.next_is_due = asyncio.Event()

    def add(self, feed: Feed, events: Iterable[Event]) -> None:
        """Queue events behind those of the feed; neighbours of one kind become one."""
        queued = self.events.setdefault(feed, [])
        for kind, data in events:
            last = queued[-1] if queued else None
            if last and last.kind == kind and kind.endswith("_delta"):
                queued[-1] = last._replace(data=last.data + data)
            else:
                queued.append(JournalEvent((last.position if last else feed.position) + 1, kind, data))

    def rows(self) -> list[Row]:
        return [(feed.generation_id, *event) for feed, events in self.events.items() for event in events]


class Journal:
    """The one writer of this process. `run()` is its task; `append()` is how events get in.

    `lose` is called with the id of a generation that `owner` runs no more, `tell` with the ids of those that a commit was about.
    """

    def __init__(self, owner: str, lose: Callable[[int], None], tell: Callable[[Iterable[int]], None]) -> None:
        self._owner, self._lose, self._tell = owner, lose, tell
        self._batch = self._writing = Batch()
        self._wanted = asyncio.Event()

    async def append(self, feed: Feed, events: Iterable[Event]) -> None:
        """Queue events and wait until they are committed and published to the feed, and the next commit is due.

        A caller that is cancelled while it waits loses nothing: what was queued is committed all the same.
        """
        batch = self._batch
        batch.add(feed, events)
        self._wanted.set()
        await batch.next_is_due.wait()

    async def flush(self, feed: Feed) -> None:
        """Wait until everything queued for the feed is committed."""
        for batch in (self._writing, self._batch):
            if feed in batch.events:
                await batch.committed.wait()

    async def run(self) -> None:
        """Commit batches until cancelled, the first one at once and the next after an interval."""
        loop, earliest = asyncio.get_running_loop(), 0.0
        while True:
            await self._wanted.wait()
            await asyncio.sleep(max(0.0, earliest - loop.time()))
            self._wanted.clear()
            self._writing, self._batch = self._batch, Batch()
            earliest = loop.time() + interval(len(self._writing.events))
            await self._commit(self._writing)
            loop.call_at(earliest, self._writing.next_is_due.set)

    def _held(self) -> set[Feed]:
        """The feeds that a commit holds up: those in it, and those that wait for the next one."""
        return {*self._writing.events, *self._batch.events}

    async def _commit(self, batch: Batch) -> None:
        """Write until it is written: while the database is away the answers wait, and nothing is shown or lost."""
        owned: set[int] = set()
        if rows := batch.rows():
            owned = await insist(lambda: write_in_thread(rows, self._owner), self._held, "The journal could not be written")
        for feed, events in batch.events.items():
            if feed.generation_id in owned:
                feed.publish(events)
            else:
                self._lose(feed.generation_id)
        self._tell(owned)
        batch.committed.set()

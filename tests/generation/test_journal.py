"""The journal: what is appended is committed in order, without gaps, whatever the database does meanwhile."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, connections, transaction
from hypothesis import given
from hypothesis import strategies as st

from conversations.events import Event, EventKind
from conversations.generation.engine import clean
from conversations.generation.feed import Feed, feeds
from conversations.generation.journal import Batch, Journal, entries, write
from conversations.models import Generation, JournalEntry, Status
from conversations.rendering.fragments import WAITING, waiting
from tests.conftest import LIMIT
from tests.factories import make_turn
from tests.live import PATIENCE, ServerEvent, ask, ended, generation_of, page_events, text_of, until, working_supervisor

TEXT, REASONING, TOOL = EventKind.TEXT_DELTA, EventKind.REASONING_DELTA, EventKind.TOOL_START


def test_neighbours_of_one_kind_become_one_and_no_others() -> None:
    batch, feed = Batch(), Feed(7)
    batch.add(feed, [Event(REASONING, "a"), Event(REASONING, "b"), Event(TEXT, "c")])
    batch.add(feed, [Event(TEXT, "d"), Event(TOOL, "{1}"), Event(TOOL, "{2}"), Event(TEXT, "e")])
    assert batch.rows() == [
        (7, 1, "reasoning_delta", "ab"),
        (7, 2, "text_delta", "cd"),
        (7, 3, "tool_start", "{1}"),
        (7, 4, "tool_start", "{2}"),
        (7, 5, "text_delta", "e"),
    ]


def test_answers_in_one_batch_do_not_mix() -> None:
    batch, one, other = Batch(), Feed(1), Feed(2)
    for feed in (one, other, one):
        batch.add(feed, [Event(TEXT, f"{feed.generation_id}")])
    assert batch.rows() == [(1, 1, "text_delta", "11"), (2, 1, "text_delta", "2")]


@given(st.lists(st.lists(st.tuples(st.sampled_from([TEXT, REASONING, TOOL]), st.text()), max_size=5), max_size=8))
def test_positions_have_no_gaps_and_text_keeps_its_order(commits: list[list[tuple[EventKind, str]]]) -> None:
    feed = Feed(1)
    for events in commits:
        batch = Batch()
        batch.add(feed, [Event(*event) for event in events])
        for kept in batch.events.values():
            feed.publish(kept)
    assert [event.position for event in feed.events] == list(range(1, len(feed.events) + 1))
    for kind in (TEXT, REASONING):
        told = "".join(data for events in commits for name, data in events if name == kind)
        assert "".join(event.data for event in feed.events if event.kind == kind) == told


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("plain", "plain"),
        ("nul \0 here", "nul \ufffd here"),
        ("\ud83d\ude00", "😀"),
        ("half \ud83d", "half \ufffd"),
        ("\udc00\ud800", "\ufffd\ufffd"),
        ("é 𝄞 \0", "é 𝄞 \ufffd"),
        ("", ""),
    ],
    ids=ascii,
)
def test_what_a_database_cannot_hold_is_replaced(text: str, kept: str) -> None:
    assert clean(text) == kept


@given(st.text(st.characters()))
def test_clean_text_can_be_stored_and_sent(text: str) -> None:
    assert "\0" not in clean(text)
    clean(text).encode()
    assert clean(clean(text)) == clean(text)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
async def test_nothing_is_lost_while_the_database_is_held_by_somebody_else() -> None:
    """Nobody is told meanwhile; afterwards everything comes, in order."""
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/long 4 /rate 400")
        following = asyncio.create_task(text_of(turn.answer.pk))
        await until(entries, turn.generation.pk, holds=lambda events: len(events) > 2)
        before = await sync_to_async(held)(turn.generation.pk)
        done = await ended(turn.generation.pk)
        assert await following == done.message.text
        assert done.status == Status.COMPLETE
        assert done.message.text.startswith(before)


def held(generation_id: int) -> str:
    """Hold the journal for a moment, from a connection of its own; nothing may be published meanwhile."""
    with locked_journal():
        feed = next(feed for feed in feeds if feed.generation_id == generation_id)
        known = len(feed.events)
        threading.Event().wait(0.4)
        assert len(feed.events) <= known + 1  # what was committed just before the lock
        return "".join(event.data for event in feed.events)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
async def test_a_page_is_told_that_its_answer_waits_for_the_database_and_that_it_goes_on() -> None:
    """It is told beside the answer, and never as a part of it."""
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/long 4 /rate 200")
        page = page_events(turn.answer.pk)
        first = await anext(page)
        assert WAITING not in first.data
        with locked_journal():
            told = [event.data async for event in until_said(page, WAITING)]
        rest = [event.data async for event in page]
    assert told[-1] == waiting(turn.answer.pk, True)
    assert waiting(turn.answer.pk, False) in rest
    assert not any(WAITING in data for data in rest)
    assert WAITING not in (await sync_to_async(generation_of)(turn.generation.pk)).message.text


async def until_said(page: AsyncIterator[ServerEvent], words: str) -> AsyncIterator[ServerEvent]:
    async for event in page:
        yield event
        if words in event.data:
            return


@contextmanager
def locked_journal() -> Iterator[None]:
    is_held, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:  # SQLite: BEGIN IMMEDIATE
            if connection.vendor == "postgresql":
                cursor.execute("LOCK TABLE conversations_journalentry IN ACCESS EXCLUSIVE MODE")
            is_held.set()
            may_go.wait(LIMIT)
        connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    assert is_held.wait(LIMIT)
    try:
        yield
    finally:
        may_go.set()
        thread.join(LIMIT)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
async def test_an_error_of_the_database_only_delays(caplog: pytest.LogCaptureFixture) -> None:
    """The table is gone for a moment, as while a host mends something by hand."""
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/long 4 /rate 400")
        await until(entries, turn.generation.pk, holds=lambda events: len(events) > 2)
        await sync_to_async(rename_table)("conversations_journalentry", "mended")
        await until(lambda: caplog.text, holds=lambda text: "could not be written" in text)
        await sync_to_async(rename_table)("mended", "conversations_journalentry")
        done = await ended(turn.generation.pk)
        again = await ask("/long 4 /rate 400")
        assert done.status == Status.COMPLETE
        assert done.message.text == (await ended(again.generation.pk)).message.text
    assert not await JournalEntry.objects.aexists()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_what_is_written_again_because_nobody_heard_of_its_commit_is_there_once_and_stays_its_owners() -> None:
    """As after a connection that broke between the commit and the news of it."""
    kept, lost = make_turn().generation, make_turn().generation
    assert kept.claim("a test")
    assert lost.claim("somebody else")
    rows = [(kept.pk, 1, "text_delta", "a"), (lost.pk, 1, "text_delta", "b"), (kept.pk, 2, "text_delta", "c")]
    assert [write(rows, "a test") for _ in range(2)] == [{kept.pk}] * 2
    assert [(event.position, event.data) for event in entries(kept.pk)] == [(1, "a"), (2, "c")]
    assert entries(lost.pk) == []


def rename_table(old: str, new: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
async def test_a_generation_deleted_in_the_middle_holds_up_no_other() -> None:
    """Staff delete a person while an answer is written: her rows have nowhere to go any more."""
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        gone, other = await ask("/long 500 /rate 400"), await ask("/long 6 /rate 300")
        await until(entries, gone.generation.pk, holds=lambda events: len(events) > 2)
        await until(is_deleted, gone.conversation.owner, holds=bool)
        assert (await ended(other.generation.pk)).status == Status.COMPLETE
    assert not await JournalEntry.objects.aexists()


def is_deleted(person: User) -> bool:
    """Delete, or say that PostgreSQL refused because a row of the journal came in between; then one tries again."""
    try:
        person.delete()
    except IntegrityError:
        return False
    return True


@pytest.mark.django_db(transaction=True)
async def test_who_is_cancelled_while_it_waits_has_its_events_committed_all_the_same() -> None:
    turn = await sync_to_async(make_turn)()
    journal = Journal("a test", print, set)
    assert await sync_to_async(turn.generation.claim)("a test")
    with feeds.hold(turn.generation.pk) as feed:
        appending = asyncio.create_task(journal.append(feed, [Event(TEXT, "kept")]))
        await asyncio.sleep(0)
        appending.cancel()
        writing = asyncio.create_task(journal.run())
        async with asyncio.timeout(PATIENCE):
            await journal.flush(feed)
        writing.cancel()
        await asyncio.gather(appending, writing, return_exceptions=True)
        assert [event.data for event in feed.events] == ["kept"]
    assert [event.data for event in await sync_to_async(entries)(turn.generation.pk)] == ["kept"]
    assert await Generation.objects.live().acount() == 1

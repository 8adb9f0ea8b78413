"""Followers of a live answer: none misses a piece, none leaves anything behind."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from asgiref.sync import sync_to_async

from conversations.events import JournalEvent, Place
from conversations.eventstream import pages, sse
from conversations.eventstream.pages import page_stream
from conversations.eventstream.programs import program_stream
from conversations.generation.ending import Outcome, end
from conversations.generation.feed import Feed, feeds
from conversations.generation.journal import write
from conversations.generation.supervisor import supervisor
from conversations.models import Message, Status, Turn
from conversations.models.usage import ended_answer
from tests.factories import make_turn
from tests.live import PATIENCE, ServerEvent, ask, ended, events_of, parsed, text_of, until, working_supervisor

from .clock import Clock

pytestmark = pytest.mark.django_db(transaction=True)
OWNER = "another process"
STREAMS = {"page": page_stream, "program": program_stream}


def make_running_turn() -> Turn:
    turn = make_turn()
    assert turn.generation.claim(OWNER)
    return turn


async def running(kind: str, place: Place = Place()) -> tuple[Turn, AsyncIterator[bytes]]:  # noqa: B008 - a value
    turn = await sync_to_async(make_running_turn)()
    return turn, STREAMS[kind](await sync_to_async(ended_answer)(turn.answer.pk), place)


async def tell(feed: Feed, *texts: str, kind: str = "text_delta") -> None:
    """Commit and publish, as the journal does."""
    events = [JournalEvent(feed.position + number, kind, text) for number, text in enumerate(texts, 1)]
    await sync_to_async(write)([(feed.generation_id, *event) for event in events], OWNER)
    feed.publish(events)


async def finish(turn: Turn, feed: Feed) -> None:
    assert await sync_to_async(end)(turn.generation, Outcome(Status.COMPLETE))
    feed.end()


def texts_of(chunks: list[bytes]) -> str:
    found = [parsed(block) for block in b"".join(chunks).decode().split("\n\n") if block]
    return "".join(json.loads(event.data)["text"] for event in found if event.name == "text_delta")


async def test_what_comes_while_a_program_reads_is_not_lost() -> None:
    turn, stream = await running("program")
    with feeds.hold(turn.generation.pk) as feed:
        await tell(feed, "one ")
        chunks = [await anext(stream), await anext(stream)]
        await tell(feed, "two ")  # the program is still busy with the first piece
        chunks.append(await anext(stream))
        await tell(feed, "three")
        await finish(turn, feed)
        chunks += [chunk async for chunk in stream]
    assert texts_of(chunks) == "one two three"


async def test_what_comes_while_a_page_reads_is_not_lost() -> None:
    turn, stream = await running("page")
    with feeds.hold(turn.generation.pk) as feed:
        await anext(stream)
        shown = b""
        await tell(feed, "one\n\n")
        for word in ("two", "three", "four"):
            shown += await anext(stream)
            await tell(feed, f"{word}\n\n")
        shown += await anext(stream)
        await finish(turn, feed)
        rest = b"".join([chunk async for chunk in stream])
    for word in (b"one", b"two", b"three", b"four"):
        assert word in shown
    assert b"event: done\ndata: complete" in rest


async def test_what_a_large_paragraph_holds_back_is_shown_when_the_model_falls_silent() -> None:
    turn, stream = await running("page")
    with feeds.hold(turn.generation.pk) as feed:
        await anext(stream)
        await tell(feed, "word " * 5000)
        await tell(feed, "and the last one")
        shown = ""
        async with asyncio.timeout(PATIENCE):
            while "and the last one" not in shown:
                shown += (await anext(stream)).decode()
        await finish(turn, feed)
        assert [chunk async for chunk in stream]


async def test_a_page_far_behind_is_given_the_whole_once() -> None:
    turn, stream = await running("page")
    with feeds.hold(turn.generation.pk) as feed:
        await anext(stream)
        await tell(feed, "start\n\n")
        await anext(stream)
        for number in range(pages.FRAMES_KEPT + 5):
            await tell(feed, f"block {number}\n\n")
        whole = (await anext(stream)).decode()
        assert whole.count("data: ") == whole.count("\n") - 2  # one event, with its id
        assert "start" in whole
        assert f"block {pages.FRAMES_KEPT + 4}" in whole
        await finish(turn, feed)
        assert len([chunk async for chunk in stream]) == 1


@pytest.mark.parametrize("kind", STREAMS)
async def test_silence_is_broken_by_pings_and_only_by_them(kind: str) -> None:
    turn, stream = await running(kind)
    with feeds.hold(turn.generation.pk) as feed:
        first = await anext(stream)
        assert (first == sse.PING) == (kind == "program")
        clock = Clock()
        for _ in range(3):
            waiting = asyncio.ensure_future(anext(stream))  # type: ignore[arg-type]
            await clock.pass_seconds(0)
            await clock.pass_seconds(sse.PING_SECONDS - 1)
            assert not waiting.done()
            await clock.pass_seconds(1.5)
            assert await waiting == sse.PING
        await finish(turn, feed)
        assert b"event: done" in [chunk async for chunk in stream][-1]


@pytest.mark.parametrize("kind", STREAMS)
async def test_who_may_not_go_on_is_cut_off_at_the_next_ping(kind: str) -> None:
    turn = await sync_to_async(make_turn)()
    may_go_on = asyncio.Event()
    may_go_on.set()

    async def permission() -> bool:
        return may_go_on.is_set()

    with feeds.hold(turn.generation.pk):
        stream = STREAMS[kind](await sync_to_async(ended_answer)(turn.answer.pk), Place(), permission)
        await anext(stream)
        clock = Clock()
        for is_allowed in (True, False):
            waiting = asyncio.ensure_future(anext(stream, None))
            await clock.pass_seconds(0)
            if not is_allowed:
                may_go_on.clear()
            await clock.pass_seconds(sse.PING_SECONDS + 1)
            assert await waiting == (sse.PING if is_allowed else None)


@pytest.mark.parametrize("kind", STREAMS)
async def test_a_follower_that_is_cancelled_leaves_nothing_behind(kind: str) -> None:
    _, stream = await running(kind)
    await anext(stream)
    waiting = asyncio.ensure_future(anext(stream))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    assert len(list(feeds)) == 1
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert list(feeds) == []
    assert pages._broadcasts == {}


@pytest.mark.parametrize("kind", STREAMS)
async def test_a_follower_that_is_closed_between_two_pieces_leaves_nothing_behind(kind: str) -> None:
    turn, stream = await running(kind)
    other = STREAMS[kind](await sync_to_async(ended_answer)(turn.answer.pk), Place())
    await anext(other)
    with feeds.hold(turn.generation.pk) as feed:
        await anext(stream)
        await tell(feed, "one")
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        await tell(feed, " and two")
        assert await anext(other)  # the other one does not notice
        await other.aclose()  # type: ignore[attr-defined]
        assert feed.listeners == set()
    assert list(feeds) == []
    assert pages._broadcasts == {}


@pytest.mark.parametrize("kind", STREAMS)
async def test_an_answer_that_ends_before_its_follower_comes_is_whole(kind: str) -> None:
    """The page was loaded while it ran; the stream is opened after the end."""
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("hello")
        message = await sync_to_async(ended_answer)(turn.answer.pk)
        done = await ended(turn.generation.pk)
        events = [event async for event in events_of(STREAMS[kind](message, Place()))]
        assert "done" in events[-1].name
        assert json.loads(events[-1].data)["status"] == "complete" if kind == "program" else events[-1].data == "complete"
        assert any("hello" in event.data for event in events)
        assert done.message.text
    assert list(feeds) == []


@pytest.mark.parametrize("kind", STREAMS)
async def test_an_answer_that_another_process_writes_is_followed_too(kind: str) -> None:
    """Nothing is published here: its rows are read from the journal."""
    turn, stream = await running(kind)
    generation = turn.generation.pk
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        await anext(stream)
        await sync_to_async(write)([(generation, 1, "text_delta", "from "), (generation, 2, "text_delta", "elsewhere")], OWNER)
        seen = ""
        while "elsewhere" not in seen:
            seen += (await anext(stream)).decode()
        await sync_to_async(write)([(generation, 3, "text_delta", " to its end")], OWNER)
        assert await sync_to_async(end)(turn.generation, Outcome(Status.COMPLETE))
        rest = "".join([chunk.decode() async for chunk in stream])
        assert "to its end" in rest
        assert "event: done" in rest


async def test_a_stopped_answer_ends_its_streams_with_what_there_is() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/long 50 /rate 100")
        following = asyncio.create_task(text_of(turn.answer.pk))
        await until(feed_length, turn.generation.pk, holds=lambda length: length > 3)
        assert await sync_to_async(turn.generation.request_stop)()
        supervisor.notify(turn.generation.pk)
        assert await following == (await ended(turn.generation.pk)).message.text


def feed_length(generation_id: int) -> int:
    return sum(len(feed.events) for feed in feeds if feed.generation_id == generation_id)


async def test_followers_that_come_and_go_at_random_each_see_the_whole() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/long 6 /rate 600")
        texts = await asyncio.gather(*(text_in_pieces(turn.answer.pk, number) for number in range(12)))
        whole = (await Message.objects.aget(pk=turn.answer.pk)).text
        assert set(texts) == {whole}
    assert list(feeds) == []


async def text_in_pieces(pk: int, patience: int) -> str:
    """Read a few events, lose the connection, and resume with the last id, as a program does."""
    text, place, is_done = "", Place(), False
    while not is_done:
        stream = program_stream(await sync_to_async(ended_answer)(pk), place)
        count = 0
        async for event in events_of(stream):
            text, place, is_done = taken(event, text, place)
            count += 1
            if count > patience + 1:
                break
            await asyncio.sleep(patience / 1000)
        await stream.aclose()  # type: ignore[attr-defined]
    return text


def taken(event: ServerEvent, text: str, place: Place) -> tuple[str, Place, bool]:
    if event.name == "text_delta":
        text += json.loads(event.data)["text"]
    return text, Place.parse(event.id) if event.id else place, event.name == "done"

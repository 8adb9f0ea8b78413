"""The events of an answer over a WebSocket: the same as over the event stream, for the same people, from any place."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from conversations.events import JournalEvent, Place
from conversations.eventstream import sse
from conversations.generation.ending import Outcome, end
from conversations.generation.feed import feeds
from conversations.models import Conversation, Message, Status, Turn
from tests.eventstream.clock import Clock
from tests.factories import make_turn
from tests.live import PATIENCE, ask, program_events, working_supervisor

from .caller import Frame, call, connected, heard, person, said, so, to_the_end

pytestmark = pytest.mark.django_db(transaction=True)
TEXT, REASONING = "𝄞 naïve 👩‍👩‍👧 z\r\n\0y", "erst 🤔 denken"


def make_ended_turn(owner: User) -> Turn:
    turn = make_turn(owner=owner)
    assert turn.generation.claim("somebody")
    assert end(turn.generation, Outcome(Status.FAILED, "unavailable", "It is away."))
    Message.objects.filter(pk=turn.answer.pk).update(text=TEXT.replace("\0", ""), reasoning=REASONING)
    return turn


def make_running_turn(owner: User) -> Turn:
    turn = make_turn(owner=owner)
    assert turn.generation.claim("somebody")
    return turn


def path_of(turn: Turn, after: str = "") -> str:
    return f"/messages/{turn.answer.pk}/events?after={after}"


def text_of(frames: list[Frame]) -> str:
    return "".join(frame.data["text"] for frame in frames if frame.event == "text_delta")


@pytest.mark.parametrize("after", ["", "0.0", "4.0", "4.7", "999.999", "nonsense"])
async def test_the_frames_are_the_events_of_the_stream_from_any_place(after: str) -> None:
    alice, browser = await person("alice")
    turn = await sync_to_async(make_ended_turn)(alice)
    frames, code = await said(path_of(turn, after), browser)
    streamed = [event async for event in program_events(turn.answer.pk, Place.parse(after))]
    assert [(frame.event, frame.data, frame.id) for frame in frames] == [(name, json.loads(data), id) for name, data, id in streamed]
    assert [frame.event for frame in frames][-2:] == ["error", "done"]
    assert code == 1000


async def test_a_running_answer_is_told_to_its_end() -> None:
    alice, browser = await person("alice")
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/long 2 /rate 500", owner=alice)
        frames, code = await said(path_of(turn), browser)
    assert text_of(frames) == (await Message.objects.aget(pk=turn.answer.pk)).text
    assert frames[-1] == Frame("done", {"status": "complete", "finish_reason": "stop", "trimmed_turns": 0})
    assert code == 1000


async def test_a_lost_socket_is_resumed_where_it_broke() -> None:
    alice, browser = await person("alice")
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/long 2 /rate 500", owner=alice)
        async with connected(path_of(turn), browser) as caller:
            first = [await heard(caller) for _ in range(3)]
        known = [frame for frame in first if isinstance(frame, Frame)]
        rest, _ = await said(path_of(turn, known[-1].id), browser)
    assert text_of(known) + text_of(rest) == (await Message.objects.aget(pk=turn.answer.pk)).text
    assert list(feeds) == []


async def test_an_answer_is_followed_by_its_owner_only() -> None:
    alice, alices = await person("alice")
    _, bobs = await person("bob")
    turn = await sync_to_async(make_ended_turn)(alice)
    assert (await said(path_of(turn), alices))[1] == 1000
    assert await said(path_of(turn), bobs) == ([], 4404)
    assert await said(path_of(turn)) == ([], 4401)


async def test_a_deleted_conversation_is_not_found() -> None:
    alice, browser = await person("alice")
    turn = await sync_to_async(make_ended_turn)(alice)
    await sync_to_async(turn.conversation.soft_delete)()
    assert await said(path_of(turn), browser) == ([], 4404)


async def test_an_answer_that_is_deleted_for_good_while_it_is_read_ends() -> None:
    alice, browser = await person("alice")
    turn = await sync_to_async(make_running_turn)(alice)
    async with asyncio.timeout(PATIENCE), connected(path_of(turn), browser) as caller:
        with feeds.hold(turn.generation.pk) as feed:
            await so(lambda: feed.listeners)
            await Conversation.objects.filter(pk=turn.conversation.pk).adelete()
            feed.end()
            frames, code = await to_the_end(caller)
    assert [frame.event for frame in frames] == ["done"]
    assert code == 1000


async def test_a_ping_comes_when_it_is_time_and_a_log_out_cuts_the_socket() -> None:
    alice, browser = await person("alice")
    turn = await sync_to_async(make_running_turn)(alice)
    clock = Clock()
    async with asyncio.timeout(PATIENCE * 10), connected(path_of(turn), browser) as caller:
        with feeds.hold(turn.generation.pk) as feed:
            await so(lambda: feed.listeners)
            assert json.loads((await caller.receive_output(PATIENCE))["text"]) == {"event": "ping"}
            await clock.pass_seconds(sse.PING_SECONDS)
            assert json.loads((await caller.receive_output(PATIENCE))["text"]) == {"event": "ping"}
            await sync_to_async(browser.logout)()
            await clock.pass_seconds(sse.PING_SECONDS)
            assert await caller.receive_output(PATIENCE) == {"type": "websocket.close", "code": 4401}
    assert list(feeds) == []


async def test_a_socket_that_is_left_leaves_nothing_behind() -> None:
    alice, browser = await person("alice")
    turn = await sync_to_async(make_running_turn)(alice)
    async with connected(path_of(turn), browser):
        await so(lambda: list(feeds))
    assert list(feeds) == []


async def test_who_speaks_to_a_socket_is_cut_off() -> None:
    alice, browser = await person("alice")
    turn = await sync_to_async(make_running_turn)(alice)
    for words in ({"text_data": "hello"}, {"bytes_data": b"\0"}):
        async with asyncio.timeout(PATIENCE), connected(path_of(turn), browser) as caller:
            await caller.send_to(**words)
            assert (await to_the_end(caller))[1] == 1008
    assert list(feeds) == []


async def test_a_slow_reader_is_handed_one_frame_at_a_time_and_later_all_it_missed() -> None:
    alice, browser = await person("alice")
    turn = await sync_to_async(make_running_turn)(alice)
    taken: list[dict[str, object]] = []
    room = asyncio.Semaphore(0)
    caller = call(path_of(turn), browser)

    async def send(message: dict[str, object]) -> None:
        taken.append(message)
        if message["type"] == "websocket.send":
            await room.acquire()

    handshake: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    handshake.put_nowait({"type": "websocket.connect"})
    running = asyncio.create_task(caller.application(caller.scope, handshake.get, send))
    async with asyncio.timeout(PATIENCE):
        with feeds.hold(turn.generation.pk) as feed:
            await so(lambda: len(taken) == 2)  # accepted, and the first ping, which is not read
            for number in range(1, 500):
                feed.publish([JournalEvent(number, "text_delta", "x")])
                await asyncio.sleep(0)
            assert len(taken) == 2
            for _ in range(1000):
                room.release()
            feed.end()
            await running
    assert taken[-1] == {"type": "websocket.close", "code": 1000}
    assert sum('"text":"x"' in str(message.get("text")) for message in taken) == 499

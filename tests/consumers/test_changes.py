"""The light socket: every page of a person is told what changes for them, in numbers, and nobody else is."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.urls import reverse

from conversations.eventstream import sse
from conversations.generation.changes import KEPT, Change, Changes, Kind, changes
from conversations.generation.supervisor import supervisor
from conversations.models import Turn
from tests.conftest import browser_of
from tests.eventstream.clock import Clock
from tests.factories import make_model, make_turn, make_user
from tests.live import PATIENCE, ask, ended, working_supervisor

from .caller import Frame, connected, heard, person, said, so

pytestmark = pytest.mark.django_db(transaction=True)


@asynccontextmanager
async def listening(who: Any, browser: Client, path: str = "/changes") -> AsyncIterator[Any]:
    """A socket that hears of whatever changes from now on."""
    async with asyncio.timeout(10 * PATIENCE), working_supervisor(), connected(path, browser) as caller:
        await so(lambda: who.pk in changes._feeds)
        yield caller


async def post(browser: Client, name: str, pk: int, fields: dict[str, Any] | None = None) -> int:
    return (await sync_to_async(browser.post)(reverse(name, args=[pk]), fields or {}, headers={"Accept": "application/json"})).status_code


def make_idle_turn(**how: Any) -> Turn:
    turn = make_turn(**how)
    assert turn.generation.request_stop()
    return turn


async def test_every_change_of_a_conversation_is_told_to_its_owner() -> None:
    alice, browser = await person("alice")
    turn = await sync_to_async(make_idle_turn)(owner=alice)
    pk = turn.conversation.pk
    async with listening(alice, browser) as caller:
        assert await post(browser, "rename_conversation", pk, {"title": "Another"}) == 204
        assert await heard(caller) == Frame("renamed", {"conversation": pk})
        assert await post(browser, "delete_conversation", pk) == 204
        assert await heard(caller) == Frame("deleted", {"conversation": pk})
        assert await post(browser, "restore_conversation", pk) == 204
        assert await heard(caller) == Frame("restored", {"conversation": pk})


@pytest.mark.parametrize("name", ["start_turn", "retry_answer"])
async def test_a_turn_is_told_when_it_begins_and_when_it_ends(name: str) -> None:
    alice, browser = await person("alice")
    turn = await sync_to_async(make_idle_turn)(owner=alice)
    pk = turn.conversation.pk if name == "start_turn" else turn.answer.pk
    async with listening(alice, browser) as caller:
        assert await post(browser, name, pk, {"prompt": "hello", "model": turn.generation.model_id}) == 201
        begun, over = await heard(caller), await heard(caller)
    assert begun == Frame("begun", {"conversation": turn.conversation.pk, "answer": turn.answer.pk + (2 if name == "start_turn" else 1)})
    assert isinstance(begun, Frame)
    assert over == Frame("ended", begun.data)


async def test_a_new_conversation_is_told() -> None:
    alice, browser = await person("alice")
    model = await sync_to_async(make_model)()
    async with listening(alice, browser) as caller:
        fields = {"prompt": "hello", "model": model.pk}
        reply = await sync_to_async(browser.post)(reverse("start_conversation"), fields, headers={"Accept": "application/json"})
        told = reply.json()
        assert await heard(caller) == Frame("begun", {"conversation": told["conversation"], "answer": told["answer"]})


async def test_the_end_of_an_answer_that_was_stopped_before_anybody_began_it_is_told() -> None:
    alice, browser = await person("alice")
    async with listening(alice, browser) as caller:
        turn = await sync_to_async(make_turn)(owner=alice)
        assert await post(browser, "stop_answer", turn.answer.pk) == 204
        assert await heard(caller) == Frame("ended", {"conversation": turn.conversation.pk, "answer": turn.answer.pk})


async def test_what_staff_does_to_a_conversation_is_told_to_its_owner() -> None:
    alice, browser = await person("alice")
    staff = await sync_to_async(browser_of)(await sync_to_async(make_user)("carol", is_staff=True, is_superuser=True))
    turn = await sync_to_async(make_turn)(owner=alice)
    rows = {"conversation": turn.conversation.pk, "generation": turn.generation.pk}
    async with listening(alice, browser) as caller:
        for name, action, kind in (
            ("generation", "stop", "ended"),
            ("conversation", "move_to_trash", "deleted"),
            ("conversation", "restore", "restored"),
        ):
            fields = {"action": action, "_selected_action": rows[name]}
            assert (await sync_to_async(staff.post)(reverse(f"admin:conversations_{name}_changelist"), fields)).status_code == 302
            told = await heard(caller)
            assert isinstance(told, Frame)
            assert (told.event, told.data["conversation"]) == (kind, turn.conversation.pk)


async def test_what_is_refused_is_not_told() -> None:
    alice, browser = await person("alice")
    turn = await sync_to_async(make_idle_turn)(owner=alice)
    async with listening(alice, browser) as caller:
        assert await post(browser, "start_turn", turn.conversation.pk, {"prompt": ""}) == 422
        assert await post(browser, "rename_conversation", turn.conversation.pk, {"title": ""}) == 422
        assert await post(browser, "restore_conversation", turn.conversation.pk) == 404
        assert await caller.receive_output(PATIENCE) == {"type": "websocket.send", "text": '{"event":"ping"}'}
        assert await caller.receive_nothing()


async def test_a_stranger_hears_nothing_of_it() -> None:
    alice, alices = await person("alice")
    bob, bobs = await person("bob")
    turn = await sync_to_async(make_idle_turn)(owner=alice)
    async with listening(bob, bobs) as caller:
        assert await post(alices, "rename_conversation", turn.conversation.pk, {"title": "A secret"}) == 204
        assert await post(bobs, "rename_conversation", turn.conversation.pk, {"title": "Mine"}) == 404
        assert await caller.receive_output(PATIENCE) == {"type": "websocket.send", "text": '{"event":"ping"}'}
        assert await caller.receive_nothing()


async def test_all_sockets_of_a_person_hear_the_same_and_leave_nothing_behind() -> None:
    alice, browser = await person("alice")
    change = Change(alice.pk, 7, Kind.RENAMED)
    async with listening(alice, browser) as one, connected("/changes", browser) as other:
        await so(lambda: len(changes._feeds[alice.pk].listeners) == 2)
        changes.tell(change)
        assert await heard(one) == await heard(other) == Frame("renamed", {"conversation": 7})
    assert changes._feeds == {}


async def test_a_socket_that_falls_behind_is_told_to_look_at_everything() -> None:
    alice, browser = await person("alice")
    async with listening(alice, browser) as caller:
        changes.hear([Change(alice.pk, number, Kind.RENAMED) for number in range(KEPT + 1)])
        assert await heard(caller) == Frame("all")
        changes.hear([Change(alice.pk, number, Kind.RENAMED) for number in range(KEPT)])
        assert [await heard(caller) for _ in range(KEPT)] == [Frame("renamed", {"conversation": number}) for number in range(KEPT)]


async def test_what_changed_between_the_page_and_its_socket_is_told_first() -> None:
    alice, browser = await person("alice")
    bob, _ = await person("bob")
    async with asyncio.timeout(PATIENCE), working_supervisor():
        changes.hear([Change(alice.pk, 1, Kind.RENAMED)])
        await asyncio.sleep(0.01)
        since = int(time.time() * 1000)
        changes.hear([Change(alice.pk, 2, Kind.ENDED, 5), Change(bob.pk, 3, Kind.RENAMED)])
        async with connected(f"/changes?since={since}", browser) as caller:
            assert await heard(caller) == Frame("ended", {"conversation": 2, "answer": 5})
            assert await caller.receive_nothing()
        for nothing in ("", "?since=", "?since=x", f"?since={'9' * 40}", "?since=-1"):
            async with connected(f"/changes{nothing}", browser) as caller:
                assert await caller.receive_output(PATIENCE) == {"type": "websocket.send", "text": '{"event":"ping"}'}
                assert await caller.receive_nothing(0.05)


async def test_a_log_out_cuts_it() -> None:
    alice, browser = await person("alice")
    clock = Clock()
    async with listening(alice, browser) as caller:
        await sync_to_async(browser.logout)()
        await so(lambda: changes._feeds[alice.pk].listeners)
        await clock.pass_seconds(sse.PING_SECONDS)
        assert await heard(caller) == 4401
    assert changes._feeds == {}


async def test_a_stop_of_the_process_ends_it_at_once_and_says_to_come_again() -> None:
    alice, browser = await person("alice")
    async with listening(alice, browser) as caller:
        await supervisor.stop(0)
        assert await heard(caller) == 1012
        frames, code = await said("/changes", browser)  # one that comes too late
        assert (frames, code) == ([], 1012)


async def test_the_end_of_an_answer_is_told_once_it_is_committed() -> None:
    alice, browser = await person("alice")
    async with listening(alice, browser) as caller:
        turn = await ask("hello", owner=alice)
        assert await heard(caller) == Frame("ended", {"conversation": turn.conversation.pk, "answer": turn.answer.pk})
        assert not (await ended(turn.generation.pk)).is_live


def test_telling_fails_nobody_where_no_supervisor_runs() -> None:
    Changes().tell(Change(1, 1, Kind.RENAMED))


async def test_telling_fails_nobody_once_the_loop_has_closed() -> None:
    told: list[Any] = []
    hub = Changes()
    opened: Callable[[], None] = lambda: asyncio.run(open_in_another_loop(hub, told))  # noqa: E731
    await asyncio.to_thread(opened)
    hub.tell(Change(1, 1, Kind.RENAMED))
    assert told == []


async def open_in_another_loop(hub: Changes, told: list[Any]) -> None:
    hub.open(told.extend)

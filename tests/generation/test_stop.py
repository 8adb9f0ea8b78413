"""Stop, at every moment there is: it ends the upstream call, keeps what there is, and says so."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from conversations.generation.feed import feeds
from conversations.generation.journal import entries
from conversations.generation.supervisor import supervisor
from conversations.models import Generation, JournalEntry, Status, Turn, Usage
from tests.factories import make_turn
from tests.live import PATIENCE, ask, ended, generation_of, until, working_supervisor

pytestmark = pytest.mark.django_db(transaction=True)


async def stop(turn: Turn) -> bool:
    """As the view does."""
    asked = await sync_to_async(turn.generation.request_stop)()
    if asked:
        supervisor.notify(turn.generation.pk)
    return asked


async def is_running(turn: Turn) -> None:
    await until(generation_of, turn.generation.pk, holds=lambda generation: generation.status == Status.RUNNING)


async def test_stop_while_it_streams_keeps_what_there_is() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/long 100 /rate 200")
        await until(entries, turn.generation.pk, holds=lambda events: len(events) > 3)
        assert await stop(turn)
        done = await ended(turn.generation.pk)
    usage = await Usage.objects.aget(generation=done)
    assert done.status == Status.STOPPED
    assert done.error_sentence == "You stopped this answer."
    assert len(done.message.text) > 20
    assert usage.is_estimated
    assert usage.output_tokens > 0
    assert not await JournalEntry.objects.aexists()


async def test_stop_while_the_provider_is_silent_ends_it_at_once() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/silent")
        await is_running(turn)
        assert await stop(turn)
        done = await ended(turn.generation.pk)
        await until(len, supervisor.runs, holds=lambda count: count == 0)
    assert (done.status, done.message.text) == (Status.STOPPED, "")
    assert list(feeds) == []


async def test_stop_while_queued_is_a_stop_without_a_bill() -> None:
    turn = await sync_to_async(make_turn)(prompt="hello")
    assert await stop(turn)
    async with working_supervisor():
        await asyncio.sleep(0.2)  # the supervisor looks for work as it starts, and must find none
    done = await ended(turn.generation.pk)
    assert (done.status, done.attempt, done.error_sentence) == (Status.STOPPED, 0, "You stopped this answer.")
    assert not await Usage.objects.aexists()


async def test_stop_before_the_supervisor_has_looked_is_a_stop() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turns = [await sync_to_async(make_turn)(prompt="/silent") for _ in range(5)]
        for turn in turns:
            supervisor.notify(turn.generation.pk)
            assert await stop(turn)
        assert {(await ended(turn.generation.pk)).status for turn in turns} == {Status.STOPPED}


async def test_stop_after_the_end_changes_nothing() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("hello /rate 5000")
        done = await ended(turn.generation.pk)
        assert not await stop(turn)
        supervisor.notify(turn.generation.pk)
        await asyncio.sleep(0.1)
    again = await sync_to_async(generation_of)(turn.generation.pk)
    assert (again.status, again.finished_at, again.stop_requested_at) == (Status.COMPLETE, done.finished_at, None)


async def test_stop_twice_is_one_stop() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/long 100 /rate 200")
        await is_running(turn)
        assert [await stop(turn), await stop(turn)] == [True, False]
        assert (await ended(turn.generation.pk)).status == Status.STOPPED
    assert await Usage.objects.acount() == 1


async def test_stop_whose_word_was_lost_is_found_by_the_heartbeat() -> None:
    """Another process took the request, and the wake-up never came."""
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/silent")
        await is_running(turn)
        assert await sync_to_async(turn.generation.request_stop)()
        assert (await ended(turn.generation.pk)).status == Status.STOPPED


async def test_stopping_one_answer_leaves_the_others_alone() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        one, other = await ask("/long 100 /rate 200"), await ask("/long 3 /rate 300")
        await is_running(one)
        await stop(one)
        assert (await ended(one.generation.pk)).status == Status.STOPPED
        assert (await ended(other.generation.pk)).status == Status.COMPLETE


async def test_a_stop_that_comes_with_the_end_is_one_or_the_other_and_whole() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turns = [await ask(f"hello /rate {200 + number * 40}") for number in range(12)]
        for turn in turns:
            await asyncio.sleep(0.02)
            await stop(turn)
        for turn in turns:
            done = await ended(turn.generation.pk)
            assert done.status in {Status.COMPLETE, Status.STOPPED}
            if done.status == Status.COMPLETE:
                assert not (await Usage.objects.aget(generation=done)).is_estimated
    assert not await JournalEntry.objects.aexists()
    assert not await Generation.objects.live().aexists()

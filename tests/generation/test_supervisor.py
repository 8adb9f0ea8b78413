"""The supervisor from its start to its stop: nothing begun is forgotten, and nothing is left running."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from conversations.generation.feed import feeds
from conversations.generation.journal import entries
from conversations.generation.supervisor import supervisor
from conversations.models import Generation, JournalEntry, Status, Usage
from tests.factories import make_turn
from tests.live import PATIENCE, ask, ended, generation_of, until, working_supervisor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


async def test_what_was_queued_before_the_start_is_found() -> None:
    turns = [await sync_to_async(make_turn)(prompt=f"hello {number} /rate 5000") for number in range(3)]
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        assert {(await ended(turn.generation.pk)).status for turn in turns} == {Status.COMPLETE}


async def test_handed_over_with_text_an_answer_is_interrupted() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/long 500 /rate 200")
        await until(entries, turn.generation.pk, holds=lambda events: len(events) > 2)
        shown = "".join(event.data for event in await sync_to_async(entries)(turn.generation.pk))
    done = await sync_to_async(generation_of)(turn.generation.pk)
    assert done.status == Status.INTERRUPTED
    assert done.message.text.startswith(shown)
    assert "restarted" in done.error_sentence
    assert (await Usage.objects.aget()).output_tokens > 0
    assert not await JournalEntry.objects.aexists()


async def test_handed_over_without_text_an_answer_is_run_by_the_next_owner() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("hello /delay 2 /rate 5000")
        await until(generation_of, turn.generation.pk, holds=lambda generation: generation.status == Status.RUNNING)
        first = supervisor.owner
    given_back = await sync_to_async(generation_of)(turn.generation.pk)
    assert (given_back.status, given_back.owner) == (Status.QUEUED, "")
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        assert supervisor.owner != first
        done = await ended(turn.generation.pk)
    assert (done.status, done.attempt) == (Status.COMPLETE, 2)
    assert await Usage.objects.acount() == 2


async def test_many_words_about_what_somebody_else_runs_are_taken_one_after_the_other(caplog: pytest.LogCaptureFixture) -> None:
    turn = await sync_to_async(make_turn)()
    assert await sync_to_async(turn.generation.claim)("another process")
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        for _ in range(8):
            supervisor.notify(turn.generation.pk)
        own = await ask("hello /rate 5000")
        assert (await ended(own.generation.pk)).status == Status.COMPLETE
    assert caplog.records == []


async def test_an_answer_that_can_finish_in_the_grace_period_does() -> None:
    supervisor.start()
    turn = await ask("hello /rate 200")
    await until(entries, turn.generation.pk, holds=lambda events: len(events) > 0)
    await supervisor.stop(PATIENCE)
    assert (await sync_to_async(generation_of)(turn.generation.pk)).status == Status.COMPLETE


async def test_nothing_is_claimed_any_more_while_it_stops() -> None:
    supervisor.start()
    slow = await ask("hello /rate 50")
    await until(entries, slow.generation.pk, holds=lambda events: len(events) > 0)
    stopping = asyncio.create_task(supervisor.stop(PATIENCE))
    await asyncio.sleep(0)
    late = await ask("too late")
    await stopping
    assert (await sync_to_async(generation_of)(late.generation.pk)).status == Status.QUEUED


async def test_it_stops_also_where_prompts_come_in_at_the_last_moment() -> None:
    """An answer that was claimed as the stop began is handed over like the others; nobody waits for ever."""
    for _ in range(5):
        supervisor.start()
        for number in range(4):
            await ask(f"{number} /long 500 /rate 2000")
        async with asyncio.timeout(PATIENCE):
            await supervisor.stop(0.3)
        assert supervisor.runs == {}
    assert not await Generation.objects.filter(status=Status.RUNNING).aexists()


async def test_after_the_stop_no_task_is_left() -> None:
    before = asyncio.all_tasks()
    async with working_supervisor():
        await ask("/silent")
        await asyncio.sleep(0.1)
    assert asyncio.all_tasks() == before
    assert list(feeds) == []


async def test_starting_twice_is_starting_once() -> None:
    async with working_supervisor():
        owner, tasks = supervisor.owner, len(asyncio.all_tasks())
        supervisor.start()
        assert (supervisor.owner, len(asyncio.all_tasks())) == (owner, tasks)


async def test_a_hundred_prompts_at_once_are_all_answered_by_one_writer() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE * 3):
        turns = [await ask(f"prompt number {number} /rate 2000") for number in range(100)]
        for number, turn in enumerate(turns):
            done = await ended(turn.generation.pk)
            assert done.status == Status.COMPLETE
            assert f"prompt number {number}" in done.message.text
    assert await Usage.objects.acount() == 100
    assert not await JournalEntry.objects.aexists()


async def test_a_lease_is_renewed_for_as_long_as_its_answer_runs() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/silent")
        running = await until(generation_of, turn.generation.pk, holds=lambda generation: generation.status == Status.RUNNING)
        first = running.lease_until
        later = await until(generation_of, turn.generation.pk, holds=lambda generation: generation.lease_until != first)
        assert later.attempt == 1
        assert later.lease_until > first

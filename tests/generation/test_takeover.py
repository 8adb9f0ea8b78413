"""Owners that die: what the next one finds, and does. And owners that lost their lease without knowing it: they write nothing more."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from conversations.generation.ending import MAX_TAKEOVERS, Outcome, end, requeue
from conversations.generation.leases import Leniency, renew, take
from conversations.generation.supervisor import supervisor
from conversations.models import Generation, JournalEntry, Message, Status, Turn, Usage
from tests.conftest import in_parallel
from tests.factories import make_model, make_turn
from tests.live import PATIENCE, ask, ended, generation_of, until, working_supervisor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]
DEAD, NEW = "dead:1:0", "new:2:0"


def make_abandoned(*texts: str, prompt: str = "hello /rate 5000", **fields: Any) -> Turn:
    """A generation whose owner died after it had written `texts`; its lease has run out."""
    turn = make_turn(prompt=prompt, model=make_model(input_price=1, output_price=2))
    assert turn.generation.claim(DEAD)
    entries = [JournalEntry(generation=turn.generation, position=n, kind="text_delta", data=text) for n, text in enumerate(texts, 1)]
    JournalEntry.objects.bulk_create(entries)
    long_ago = timezone.now() - timedelta(hours=1)
    Generation.objects.filter(pk=turn.generation.pk).update(lease_until=long_ago, **fields)
    turn.generation.refresh_from_db()
    return turn


async def after_takeover(*texts: str, **fields: Any) -> Generation:
    turn = await sync_to_async(make_abandoned)(*texts, **fields)
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        return await ended(turn.generation.pk)


async def test_what_had_been_shown_is_kept_and_marked_interrupted() -> None:
    done = await after_takeover("Half an ", "answer")
    usage = await Usage.objects.aget(generation=done)
    assert (done.status, done.message.text, done.attempt) == (Status.INTERRUPTED, "Half an answer", 2)
    assert "try again" in done.error_sentence
    assert (usage.attempt, usage.is_estimated, usage.output_tokens) == (1, True, 4)
    assert not await JournalEntry.objects.aexists()


async def test_what_had_not_begun_is_run_again_and_both_attempts_are_accounted_for() -> None:
    done = await after_takeover()
    usages = [usage async for usage in Usage.objects.filter(generation=done).order_by("attempt")]
    assert (done.status, done.attempt) == (Status.COMPLETE, 2)
    assert done.message.text
    assert [(usage.attempt, usage.is_estimated, usage.output_tokens > 0) for usage in usages] == [(1, True, False), (2, False, True)]


async def test_a_stop_that_the_dead_owner_never_obeyed_is_obeyed() -> None:
    done = await after_takeover("Half", stop_requested_at=timezone.now())
    assert (done.status, done.message.text) == (Status.STOPPED, "Half")
    done = await after_takeover(stop_requested_at=timezone.now())
    assert (done.status, done.message.text) == (Status.STOPPED, "")


async def test_an_answer_that_brings_down_every_owner_is_given_up() -> None:
    done = await after_takeover(takeovers=MAX_TAKEOVERS - 1)
    assert (done.status, done.error_code) == (Status.FAILED, "too_many_attempts")
    done = await after_takeover(takeovers=MAX_TAKEOVERS - 2)
    assert done.status == Status.COMPLETE


async def test_what_is_given_back_in_order_is_run_again_however_often() -> None:
    turn = await sync_to_async(make_given_back)(times=2 * MAX_TAKEOVERS)
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        done = await ended(turn.generation.pk)
    attempts = [usage.attempt async for usage in Usage.objects.filter(generation=done).order_by("attempt")]
    assert (done.status, done.takeovers) == (Status.COMPLETE, 0)
    assert attempts == list(range(1, 2 * MAX_TAKEOVERS + 2))


async def test_a_stop_that_came_just_before_it_was_given_back_is_obeyed() -> None:
    turn = await sync_to_async(make_given_back)(times=1, stop_requested_at=timezone.now())
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        done = await ended(turn.generation.pk)
    assert (done.status, await Usage.objects.filter(generation=done).acount()) == (Status.STOPPED, 1)


def make_given_back(times: int, **fields: Any) -> Turn:
    """A generation that owners which ended in order have given back unbegun."""
    turn = make_turn(prompt="hello /rate 5000")
    for _ in range(times):
        assignment = take(turn.generation.pk, DEAD)
        assert assignment
        requeue(assignment.generation, Outcome(Status.COMPLETE, request=assignment.request))
    Generation.objects.filter(pk=turn.generation.pk).update(**fields)
    return turn


async def test_a_lease_that_still_runs_is_left_alone() -> None:
    turn = await sync_to_async(make_abandoned)("Half")
    soon = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
    await Generation.objects.filter(pk=turn.generation.pk).aupdate(lease_until=soon)
    async with working_supervisor():
        supervisor.notify(turn.generation.pk)
        await asyncio.sleep(0.3)
        assert supervisor.runs == {}
    kept = await sync_to_async(generation_of)(turn.generation.pk)
    assert (kept.status, kept.owner, kept.attempt) == (Status.RUNNING, DEAD, 1)


async def test_what_is_trimmed_is_said_of_an_interrupted_answer_too() -> None:
    turn = await sync_to_async(make_abandoned_long)()
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        done = await ended(turn.generation.pk)
    assert (done.status, done.trimmed_turns) == (Status.INTERRUPTED, 1)


def make_abandoned_long() -> Turn:
    first = make_turn(prompt="x" * 3000, model=make_model(context_window=256))
    Generation.objects.update(status=Status.COMPLETE)
    turn = make_turn(first.conversation, "two")
    Generation.objects.filter(pk=turn.generation.pk).update(
        status=Status.RUNNING, owner=DEAD, attempt=1, lease_until=first.prompt.created_at
    )
    JournalEntry.objects.create(generation=turn.generation, position=1, kind="text_delta", data="Half")
    return turn


def test_of_many_processes_exactly_one_takes_it() -> None:
    turn = make_abandoned()
    taken = in_parallel(6, lambda number: take(turn.generation.pk, f"process {number}"))
    assert sum(assignment is not None for assignment in taken) == 1
    assert Generation.objects.get().attempt == 2
    assert Usage.objects.count() == 1


def test_of_many_processes_exactly_one_settles_it() -> None:
    turn = make_abandoned("Half an answer")
    assert in_parallel(6, lambda number: take(turn.generation.pk, f"process {number}")) == [None] * 6
    assert Generation.objects.get().status == Status.INTERRUPTED
    assert Message.objects.get(pk=turn.answer.pk).text == "Half an answer"
    assert Usage.objects.count() == 1


def test_the_dead_owner_comes_back_and_changes_nothing() -> None:
    turn = make_abandoned("Half an answer")
    late = Generation.objects.get(pk=turn.generation.pk)
    assert take(turn.generation.pk, NEW) is None
    before = list(Generation.objects.values()), list(Message.objects.values())
    assert not end(late, Outcome(Status.COMPLETE))
    requeue(late, Outcome(Status.COMPLETE))
    assert (list(Generation.objects.values()), list(Message.objects.values())) == before
    assert Usage.objects.count() == 1


def test_an_owner_learns_what_it_lost_what_to_stop_and_what_is_free() -> None:
    kept, stopped, lost, queued = (make_turn().generation for _ in range(4))
    abandoned = make_abandoned().generation
    for generation in (kept, stopped):
        assert generation.claim(NEW)
    assert lost.claim("somebody else")
    assert stopped.request_stop()
    found = renew(NEW, [kept.pk, stopped.pk, lost.pk])
    assert (found.lost, found.stopped, found.queued, found.abandoned) == ([lost.pk], [stopped.pk], [queued.pk], [abandoned.pk])


def test_a_lease_from_before_the_clock_was_set_back_has_run_out() -> None:
    generation, other = make_turn().generation, make_turn().generation
    assert generation.claim("a process that died")
    assert other.claim("a process that lives")
    Generation.objects.filter(pk=generation.pk).update(lease_until=timezone.now() + timedelta(hours=1))
    assert renew(NEW, []).abandoned == [generation.pk]


def test_after_a_jump_of_the_clock_leases_count_for_nothing_until_each_could_be_renewed() -> None:
    for jump in (-3600, 3600):
        leniency = Leniency()
        assert [leniency.counts(ahead) for ahead in (100, 100.5, 101, 100 + jump, 100 + jump)] == [True, True, True, False, False]


REFUSE_THE_LEDGER = {
    "sqlite": ["CREATE TRIGGER refuse BEFORE INSERT ON conversations_usage BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"],
    "postgresql": [
        "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE 'the disk is full'; END $$ LANGUAGE plpgsql",
        "CREATE TRIGGER refuse BEFORE INSERT ON conversations_usage EXECUTE FUNCTION refuse()",
    ],
}
ALLOW_THE_LEDGER = {
    "sqlite": ["DROP TRIGGER refuse"],
    "postgresql": ["DROP TRIGGER refuse ON conversations_usage", "DROP FUNCTION refuse"],
}


def execute(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.mark.parametrize("texts", [(), ("Half",)], ids=["nothing shown", "half"])
def test_a_takeover_that_breaks_off_half_way_leaves_no_attempt_that_nobody_accounts_for(texts: tuple[str, ...]) -> None:
    turn = make_abandoned(*texts)
    execute(REFUSE_THE_LEDGER[connection.vendor])
    try:
        with pytest.raises(DatabaseError):
            take(turn.generation.pk, NEW)
    finally:
        execute(ALLOW_THE_LEDGER[connection.vendor])
    left = Generation.objects.get()
    assert (left.owner, left.attempt, left.status) == (DEAD, 1, Status.RUNNING)
    assert (take(turn.generation.pk, NEW) is None) == bool(texts)
    assert list(Usage.objects.values_list("attempt", flat=True)) == [1]


def test_who_is_a_moment_late_takes_over_nothing() -> None:
    turn = make_abandoned()
    assert take(turn.generation.pk, NEW)
    assert take(turn.generation.pk, "later:3:0") is None
    assert Usage.objects.count() == 1


async def lose(turn: Turn) -> None:
    """Somebody else takes the lease, as after a long stall of this process, and ends the answer."""
    generation = await sync_to_async(generation_of)(turn.generation.pk)
    await Generation.objects.filter(pk=generation.pk).aupdate(lease_until=timezone.now() - timedelta(seconds=1))
    assert await sync_to_async(take)(generation.pk, NEW) is None
    assert (await sync_to_async(generation_of)(generation.pk)).status == Status.INTERRUPTED


async def test_a_run_whose_lease_is_lost_writes_nothing_more() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/long 500 /rate 400")
        await until(JournalEntry.objects.count, holds=lambda count: count > 3)
        await lose(turn)
        kept = await sync_to_async(generation_of)(turn.generation.pk)
        await until(lambda: len(supervisor.runs), holds=lambda count: count == 0)
        again = await sync_to_async(generation_of)(turn.generation.pk)
        assert (again.message.text, again.status, again.finished_at) == (kept.message.text, kept.status, kept.finished_at)
        assert not await JournalEntry.objects.aexists()
        assert await Usage.objects.acount() == 1
        assert (await ended((await ask("hello /rate 5000")).generation.pk)).status == Status.COMPLETE


async def test_a_run_that_lost_its_lease_before_the_first_token_does_not_block_the_journal() -> None:
    """Both owners write position 1: the late one gives way, and every other answer of its process goes on."""
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/delay 1 /long 500 /rate 400")
        await until(generation_of, turn.generation.pk, holds=lambda generation: generation.status == Status.RUNNING)
        await Generation.objects.filter(pk=turn.generation.pk).aupdate(owner=NEW, attempt=2)
        await JournalEntry.objects.acreate(generation_id=turn.generation.pk, position=1, kind="text_delta", data="mine")
        other = await ask("/long 8 /rate 200 /delay 0.5")
        assert (await ended(other.generation.pk)).status == Status.COMPLETE
        assert [entry.data async for entry in JournalEntry.objects.all()] == ["mine"]

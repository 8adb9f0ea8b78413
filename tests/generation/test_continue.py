"""To go on with an answer that was cut off: the text there is stands in the new answer from the start, and is paid for once."""

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from conversations.events import EventKind
from conversations.generation.history import assignment_of
from conversations.generation.journal import entries
from conversations.generation.supervisor import supervisor
from conversations.models import Generation, JournalEntry, Message, Status, Turn, Usage, go_on
from conversations.models.generations import generation_to_run
from conversations.providers.base import GO_ON
from tests.factories import make_model, make_turn
from tests.live import PATIENCE, ended, program_events, text_of, until, working_supervisor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]
HALF = "Half of an answer, and"


def make_continuation(prompt: str = "hello /rate 5000", text: str = HALF, reasoning: str = "", **fields: object) -> Turn:
    """A queued answer that continues one which was stopped at `text`."""
    turn = make_turn(prompt=prompt, model=make_model(input_price=1, output_price=2))
    Generation.objects.filter(pk=turn.generation.pk).update(status=Status.STOPPED)
    Message.objects.filter(pk=turn.answer.pk).update(text=text, reasoning=reasoning)
    answer = Message.objects.select_related("generation__model", "conversation").get(pk=turn.answer.pk)
    assert answer.generation.model
    longer = go_on(answer, answer.generation.model)
    Generation.objects.filter(pk=longer.generation.pk).update(**fields)
    return longer


async def run(turn: Turn) -> Generation:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        supervisor.notify(turn.generation.pk)
        return await ended(turn.generation.pk)


async def test_the_answer_begins_with_what_there_was_and_only_what_is_new_is_paid_for() -> None:
    turn = await sync_to_async(make_continuation)("/long 2 /rate 5000 /nousage", reasoning="I thought.")
    done = await run(turn)
    usage = await Usage.objects.aget(generation=done)
    assert done.status == Status.COMPLETE
    assert done.message.text.startswith(HALF)
    assert done.message.reasoning == "I thought.\n\n"
    new = len(done.message.text) - len(HALF)
    assert new / 6 < usage.output_tokens < new / 3
    assert (usage.reasoning_tokens, usage.is_estimated) == (0, True)
    assert not await JournalEntry.objects.aexists()


async def test_the_demo_goes_on_where_it_was_cut_off() -> None:
    whole = await run(await sync_to_async(make_turn)(prompt="/long 2 /rate 5000"))
    cut = whole.message.text[:101]
    done = await run(await sync_to_async(make_continuation)("/long 2 /rate 5000", text=cut))
    assert done.message.text == whole.message.text


def test_the_model_is_given_its_text_and_asked_to_go_on() -> None:
    generation = generation_to_run.first(make_continuation("why?").generation.pk)
    assert generation
    assignment = assignment_of(generation)
    assert [(message.role, message.text) for message in assignment.request.messages] == [
        ("user", "why?"),
        ("assistant", HALF),
        ("user", GO_ON),
    ]
    assert [event.data for event in assignment.begun] == [HALF]


async def test_a_page_and_a_program_have_the_text_before_anybody_runs_it() -> None:
    turn = await sync_to_async(make_continuation)()
    assert [event.data for event in await sync_to_async(entries)(turn.generation.pk)] == [HALF]
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        supervisor.notify(turn.generation.pk)
        text = await text_of(turn.answer.pk)
        assert text == (await ended(turn.generation.pk)).message.text
        assert text.startswith(HALF)


def test_an_answer_that_is_stopped_before_it_is_run_keeps_the_text() -> None:
    turn = make_continuation()
    assert turn.generation.request_stop()
    assert Message.objects.get(pk=turn.answer.pk).text == HALF
    assert not JournalEntry.objects.exists()


async def test_an_owner_that_died_before_it_wrote_anything_is_followed_by_another() -> None:
    turn = await sync_to_async(make_continuation)()
    await sync_to_async(abandon)(turn)
    done = await run(turn)
    assert (done.status, done.attempt) == (Status.COMPLETE, 2)
    assert done.message.text.count(HALF) == 1
    assert len(done.message.text) > len(HALF)


async def test_what_an_owner_that_died_had_added_is_kept_and_marked_and_paid_for() -> None:
    turn = await sync_to_async(make_continuation)()
    await sync_to_async(abandon)(turn, " a bit more")
    done = await run(turn)
    usage = await Usage.objects.aget(generation=done)
    assert (done.status, done.message.text) == (Status.INTERRUPTED, HALF + " a bit more")
    assert usage.output_tokens == 3


def abandon(turn: Turn, *texts: str) -> None:
    """Let an owner die that had written `texts`."""
    assert turn.generation.claim("dead:1:0")
    kind = EventKind.TEXT_DELTA
    JournalEntry.objects.bulk_create(
        JournalEntry(generation=turn.generation, position=n, kind=kind, data=text) for n, text in enumerate(texts, start=2)
    )
    long_ago = timezone.now() - timedelta(hours=1)
    Generation.objects.filter(pk=turn.generation.pk).update(lease_until=long_ago)


async def test_a_failure_leaves_the_text_there_was() -> None:
    done = await run(await sync_to_async(make_continuation)("hello /fail unauthorised"))
    assert (done.status, done.message.text) == (Status.FAILED, HALF)


async def test_a_reader_that_comes_in_the_middle_gets_the_text_once() -> None:
    turn = await sync_to_async(make_continuation)("/long 3 /rate 300")
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        supervisor.notify(turn.generation.pk)
        await until(entries, turn.generation.pk, holds=lambda events: len(events) > 3)
        events = [event async for event in program_events(turn.answer.pk)]
        done = await ended(turn.generation.pk)
    assert "".join(event.data for event in events).count("Half of an answer") == 1
    assert done.message.text.count(HALF) == 1

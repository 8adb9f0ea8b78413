"""The eight laws of docs/architecture.md, each by its name."""

import ast
import asyncio
import json
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.template.loader import render_to_string

from conversations.events import Place
from conversations.eventstream.pages import page_stream
from conversations.generation.journal import entries
from conversations.models import Generation, Import, JournalEntry, Status
from conversations.models.imports import ImportStatus
from conversations.models.usage import ended_answer
from conversations.rendering.answers import Answer

from .factories import make_user
from .live import (
    PATIENCE,
    ask,
    committed_text,
    ended,
    generation_of,
    message_of,
    page_events,
    program_events,
    text_of,
    until,
    working_supervisor,
)
from .page import Page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]
ROOT = Path(__file__).resolve().parent.parent


async def test_law_1_written_before_told() -> None:
    """Whatever a viewer has been sent can be read from the database at that moment."""
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/long 4 /rate 400")
        told, looks = "", 0
        async for event in program_events(turn.answer.pk):
            if event.name == "text_delta":
                told += json.loads(event.data)["text"]
                assert (await sync_to_async(committed_text)(turn.answer)).startswith(told)
                looks += 1
        assert looks > 10
        assert (await sync_to_async(message_of)(turn.answer.pk)).text == told


async def test_law_2_one_truth_at_a_time() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/long 3 /rate 200")
        generation = turn.generation.pk
        await until(entries, generation, holds=lambda events: len(events) > 3)
        assert (await sync_to_async(message_of)(turn.answer.pk)).text == ""
        done = await ended(generation)
        assert done.message.text
        assert not await JournalEntry.objects.filter(generation=generation).aexists()


async def test_law_3_closing_the_tab_does_not_stop_the_generation() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/long 2 /rate 300")
        message = await sync_to_async(ended_answer)(turn.answer.pk)
        stream = page_stream(message, Place())
        await anext(stream)
        await stream.aclose()
        assert (await ended(turn.generation.pk)).status == Status.COMPLETE


async def test_law_4_replay_equals_reload() -> None:
    """A page loaded at any moment, and fed the stream from there, ends as the page of the finished answer."""
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/markdown /think /rate 600")
        loads = [asyncio.create_task(load_and_follow(turn.answer.pk, delay)) for delay in (0, 0.05, 0.3, 0.7, 1.2)]
        pages = await asyncio.gather(*loads)
        final = Page(await sync_to_async(rendered)(turn.answer.pk))
        for page in pages:
            assert page.html(f"message-{turn.answer.pk}") == final.html(f"message-{turn.answer.pk}")


async def load_and_follow(pk: int, delay: float) -> Page:
    await asyncio.sleep(delay)
    page = Page(await sync_to_async(rendered)(pk))
    place = Place.parse(page.connect_place)
    async for event in page_events(pk, place):
        page.take(event)
    return page


def rendered(pk: int) -> str:
    message = ended_answer(pk)
    return render_to_string("_answer.html", {"answer": Answer(message, entries(message.generation.pk))})


async def test_law_4_a_page_goes_on_from_its_last_event_id() -> None:
    """Drop the connection after each frame that carries an id: what follows completes the page."""
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/markdown /rate 500")
        page, ids = Page(await sync_to_async(rendered)(turn.answer.pk)), 0
        place, is_done = Place.parse(page.connect_place), False
        while not is_done:
            async for event in page_events(turn.answer.pk, place):
                page.take(event)
                is_done = event.name == "done"
                if event.id and Place.parse(event.id) != place:
                    place, ids = Place.parse(event.id), ids + 1
                    break
        assert ids > 3
        final = Page(await sync_to_async(rendered)(turn.answer.pk))
        assert page.html(f"message-{turn.answer.pk}") == final.html(f"message-{turn.answer.pk}")


async def test_law_5_one_door_per_state() -> None:
    turn = await ask("hello")
    one, two = await sync_to_async(generation_of)(turn.generation.pk), await sync_to_async(generation_of)(turn.generation.pk)
    assert await sync_to_async(one.claim)("one")
    assert not await sync_to_async(two.claim)("two")
    two.owner, two.attempt = "two", 1
    assert not await sync_to_async(two.finish)(Status.COMPLETE)
    assert await sync_to_async(one.finish)(Status.COMPLETE)
    assert not await sync_to_async(one.finish)(Status.FAILED)
    assert not await sync_to_async(one.request_stop)()


def test_law_5_one_door_per_state_of_an_import() -> None:
    """Of two who begin at once one wins; who lost it, or was stopped, ends nothing."""
    row = Import.objects.create(owner=make_user(), file_name="conversations.json")
    one, two = Import.objects.get(pk=row.pk), Import.objects.get(pk=row.pk)
    assert one.claim("one")
    assert not two.claim("two")
    two.refresh_from_db()
    assert two.claim("two"), "the first one is taken for lost"
    assert not one.tell(added=1)
    assert not one.finish(ImportStatus.COMPLETE)
    assert two.stop()
    assert not two.finish(ImportStatus.COMPLETE)
    assert not two.stop()
    assert two.wait()
    assert not one.wait()
    assert two.claim("again")
    assert two.finish(ImportStatus.FAILED, "It broke off.")
    assert not two.finish(ImportStatus.COMPLETE)
    row.refresh_from_db()
    assert (row.status, row.error) == (ImportStatus.FAILED, "It broke off.")


def test_law_5_nobody_else_writes_a_status() -> None:
    """A status is written where the rules of a generation or of an import stand."""
    allowed = {"conversations/models/generations.py", "conversations/models/imports.py"}
    for path in (ROOT / "conversations").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            is_update = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update"
            if is_update and any(keyword.arg == "status" for keyword in node.keywords):
                assert str(path.relative_to(ROOT)) in allowed, path


async def test_law_6_a_fragment_applied_twice_is_harmless() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/markdown /think /rate 800")
        once, twice = await two_pages(turn.answer.pk)
        async for event in page_events(turn.answer.pk, Place.parse(once.connect_place)):
            once.take(event)
            twice.take(event)
            twice.take(event)
            assert once.html(f"message-{turn.answer.pk}") == twice.html(f"message-{turn.answer.pk}")


async def two_pages(pk: int) -> tuple[Page, Page]:
    html = await sync_to_async(rendered)(pk)
    return Page(html), Page(html)


@pytest.mark.parametrize("shape", ["code", "list", "table", "long"])
async def test_law_7_cost_per_frame_does_not_grow(shape: str) -> None:
    """The frames of the last third of a long answer are no larger than those of the first."""
    async with working_supervisor(), asyncio.timeout(PATIENCE * 2):
        turn = await ask(f"/{shape} {300 if shape == 'long' else 2000} /rate 4000")
        sizes = [len(event.data) async for event in page_events(turn.answer.pk) if not event.name]
        assert len(sizes) > 12  # on a machine that is busy frames hold more
        third = len(sizes) // 3
        first, last = sorted(sizes[1 : 1 + third]), sorted(sizes[-1 - third : -1])
        assert last[third // 2] < 3 * first[third // 2] + 4000


async def test_law_8_nobody_waits_for_a_slow_reader() -> None:
    """One that falls behind is given the current whole, in one event; the answer and the others do not notice."""
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/long 12 /rate 900")
        message = await sync_to_async(ended_answer)(turn.answer.pk)
        slow = page_stream(message, Place())
        await anext(slow)
        fast = await text_of(turn.answer.pk)
        assert (await ended(turn.generation.pk)).message.text == fast
        late = [chunk async for chunk in slow]
        assert len(late) <= 4
        assert sum(map(len, late)) < 4 * len(fast) + 20_000


async def test_a_hundred_followers_of_one_feed_each_read_the_whole() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask("/long 2 /rate 200")
        texts = await asyncio.gather(*(text_of(turn.answer.pk) for _ in range(100)))
        assert len(set(texts)) == 1
        assert (await Generation.objects.aget(pk=turn.generation.pk)).status == Status.COMPLETE

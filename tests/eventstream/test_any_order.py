"""Whatever happens, and in whatever order: every viewer's page ends as the page that is loaded afterwards.

The owner of the answer writes the journal as an owner does, in this process or as if in another one; viewers read real streams.
Random are what the answer continues, the text and its pieces, reads of the journal, drops, reconnects, reloads, slow readers, crashes,
takeovers, and the end.
"""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.events import JournalEvent, Place
from conversations.generation.ending import Outcome, end
from conversations.generation.feed import Feed, feeds
from conversations.generation.journal import entries, write
from conversations.generation.leases import take
from conversations.generation.remote import RemoteReader
from conversations.models import Generation, Message, Status, Turn, go_on
from conversations.models.usage import ended_answer
from conversations.tool_events import ToolResult, ToolStart, resulted, started
from tests.factories import make_turn
from tests.live import PATIENCE, page_events
from tests.page import Page
from tests.rendering.strategies import TEXTS
from tests.test_laws import rendered

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

KINDS = ("text_delta", "text_delta", "text_delta", "reasoning_delta")
ENDS = (Status.COMPLETE, Status.FAILED, Status.STOPPED)
CALLS = st.tuples(st.just("call"), st.booleans(), TEXTS)
RESULTS = st.tuples(st.just("answer call"), st.integers(0, 3), TEXTS)
WRITES = st.one_of(
    CALLS,
    RESULTS,
    st.tuples(st.just("write"), st.sampled_from(KINDS), TEXTS),
    st.tuples(st.just("write"), st.just("text_delta"), st.text(min_size=1, max_size=30)),
)
VISITS = st.tuples(st.sampled_from(["come", "drop", "reconnect", "reload"]), st.integers(0, 2))
NAPS = st.tuples(st.just("nap"), st.integers(0, 1), st.lists(WRITES, min_size=2, max_size=4))
STEPS = st.lists(st.one_of(WRITES, NAPS, VISITS, st.tuples(st.just("read"))), min_size=2, max_size=20)
LOCAL = st.booleans()  # whether the owner is this process
# A crash and what follows it come seldom: with text shown they are the end of the story.
STORIES = st.builds(
    lambda before, local, steps, crashes: [*before, ("take over", local), *steps, *crashes],
    st.lists(st.one_of(VISITS, st.just(("take over", True)), st.just(("take over", False)), st.just(("crash",))), max_size=4),
    LOCAL,
    STEPS,
    st.one_of(st.just([]), st.tuples(st.just(("crash",)), LOCAL.map(lambda local: ("take over", local)), VISITS)),
)


class Viewer:
    """A page with its stream: it goes on from the last event id, as a browser does."""

    def __init__(self, pk: int) -> None:
        self.pk = pk
        self.page: Page | None = None
        self._place = Place()
        self._reading: asyncio.Task[None] | None = None
        self.is_awake = asyncio.Event()
        self.is_awake.set()

    async def load(self) -> None:
        """Load the page anew, and connect."""
        await self.drop()
        self.page = Page(await sync_to_async(rendered)(self.pk))
        self._place = Place.parse(self.page.connect_place)
        self.connect()

    def connect(self) -> None:
        if self.page and self.page.connect_place and self._reading is None:
            self._reading = asyncio.create_task(self._read())

    async def drop(self) -> None:
        if reading := self._reading:
            self._reading = None
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading

    async def finish(self) -> None:
        """Read to the end."""
        self.is_awake.set()
        self.connect()
        if self._reading:
            await self._reading

    async def _read(self) -> None:
        assert self.page
        async for event in page_events(self.pk, self._place):
            self.page.take(event)
            if event.id:
                self._place = Place.parse(event.id)
            await self.is_awake.wait()


class Story:
    def __init__(self, generation: Generation, feed: Feed) -> None:
        self.generation, self.feed = generation, feed
        self.viewers = [Viewer(generation.message_id) for _ in range(3)]
        self.owners = self.position = self.calls = 0
        self.is_owned = False
        self.reader = RemoteReader()

    async def do(self, name: str, *details: Any) -> None:
        await getattr(self, name.replace(" ", "_"))(*details)
        await asyncio.sleep(0)

    async def come(self, viewer: int) -> None:
        if self.viewers[viewer].page is None:
            await self.viewers[viewer].load()

    async def reload(self, viewer: int) -> None:
        await self.viewers[viewer].load()

    async def drop(self, viewer: int) -> None:
        await self.viewers[viewer].drop()

    async def reconnect(self, viewer: int) -> None:
        await self.viewers[viewer].drop()
        self.viewers[viewer].connect()

    async def nap(self, viewer: int, writes: list[tuple[Any, ...]]) -> None:
        """What is told while a viewer reads no further piles up."""
        self.viewers[viewer].is_awake.clear()
        for name, *details in writes:
            await self.do(name, *details)
            await self.read()
        self.viewers[viewer].is_awake.set()

    async def read(self) -> None:
        await self.reader._read()

    async def write(self, kind: str, text: str) -> None:
        text = storable(text)
        if not self.is_owned or not text:
            return
        event = JournalEvent(self.position + 1, kind, text)
        owned = await sync_to_async(write)([(self.generation.pk, *event)], self.owner)
        assert owned == {self.generation.pk}
        self.position += 1
        if self.feed.is_local:
            self.feed.publish([event])

    async def call(self, waits: bool, arguments: str) -> None:
        """A model calls a tool, and perhaps a person is asked."""
        self.calls += self.is_owned
        await self.write("tool_start", started(ToolStart(self.calls, 1, "id", "name", storable(arguments), waits)).data)

    async def answer_call(self, number: int, text: str) -> None:
        """A call has a result: also one that was approved meanwhile, or that has one already."""
        if self.calls:
            number = number % self.calls + 1
            await self.write("tool_start", started(ToolStart(number, 1, "id", "name", "{}")).data)
            await self.write("tool_result", resulted(ToolResult(number, "done", storable(text), 0.5)).data)

    @property
    def owner(self) -> str:
        return f"owner {self.owners}"

    async def crash(self) -> None:
        """The owner is gone, and its lease runs out."""
        self.is_owned = self.feed.is_local = False
        await Generation.objects.filter(pk=self.generation.pk).aupdate(lease_until=timezone.now() - timedelta(seconds=1))

    async def take_over(self, is_local: bool) -> None:
        """What nobody runs is claimed, by this process or another one: run again, or marked."""
        if self.is_owned or self.feed.has_ended:
            return
        self.owners += 1
        assignment = await sync_to_async(take)(self.generation.pk, self.owner)
        if assignment is None:
            return
        self.generation, self.is_owned, self.position = assignment.generation, True, len(assignment.begun)
        self.feed.is_local = is_local
        if is_local:
            self.feed.publish(assignment.begun)
            self.feed.begin()

    async def conclude(self, status: Status) -> None:
        """Bring the answer to an end, if it has not come to one, and every viewer with it."""
        await self.take_over(True)
        if self.is_owned:
            was_local, self.feed.is_local = self.feed.is_local, False
            await sync_to_async(end)(self.generation, Outcome(status, error_sentence="It ended." if status != Status.COMPLETE else ""))
            if was_local:
                self.feed.end()
        while not self.feed.has_ended:
            await self.reader._read()
        for viewer in self.viewers:
            await viewer.finish()


def storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def make_answer(beginning: str) -> Turn:
    """A queued answer; where there is a beginning, one that continues another."""
    turn = make_turn()
    if not beginning.strip():
        return turn
    Generation.objects.filter(pk=turn.generation.pk).update(status=Status.STOPPED)
    Message.objects.filter(pk=turn.answer.pk).update(text=beginning, reasoning=beginning[:20])
    cut = Message.objects.select_related("generation__model", "conversation").get(pk=turn.answer.pk)
    assert cut.generation.model
    return go_on(cut, cut.generation.model)


@given(STORIES, st.sampled_from(ENDS), st.one_of(st.just(""), TEXTS))
@settings(max_examples=60, deadline=None)
def test_every_viewer_ends_with_the_page_that_is_loaded_afterwards(steps: list[tuple[Any, ...]], status: Status, beginning: str) -> None:
    asyncio.run(tell(steps, status, storable(beginning)))


async def tell(steps: list[tuple[Any, ...]], status: Status, beginning: str) -> None:
    turn = await sync_to_async(make_answer)(beginning)
    async with asyncio.timeout(PATIENCE):
        with feeds.hold(turn.generation.pk) as feed:
            story = Story(turn.generation, feed)
            try:
                for name, *details in [("come", 0), ("come", 1), *steps]:
                    await story.do(name, *details)
                await story.conclude(status)
            finally:
                for viewer in story.viewers:
                    await viewer.drop()
    message = await sync_to_async(ended_answer)(turn.answer.pk)
    assert not await sync_to_async(entries)(turn.generation.pk)
    assert message.text.startswith(beginning if beginning.strip() else "")
    final = Page(await sync_to_async(rendered)(turn.answer.pk)).html(f"message-{turn.answer.pk}")
    for viewer in story.viewers:
        if viewer.page:
            assert viewer.page.html(f"message-{turn.answer.pk}") == final, message.text

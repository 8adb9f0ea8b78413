"""What a test of streams needs: a working supervisor, turns begun from async code, and readers of a stream."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async

from conversations.events import JournalEvent, Place
from conversations.eventstream.pages import page_stream
from conversations.eventstream.programs import program_stream
from conversations.generation.journal import entries
from conversations.generation.supervisor import supervisor
from conversations.models import Generation, Message, Turn
from conversations.models.usage import ended_answer

from .factories import make_turn

PATIENCE = 20  # seconds a test waits for what must happen; never a measure of speed


class ServerEvent(NamedTuple):
    """One event as it came over the wire."""

    name: str
    data: str
    id: str


@asynccontextmanager
async def working_supervisor() -> AsyncIterator[None]:
    supervisor.start()
    try:
        yield
    finally:
        await supervisor.stop(0)


async def ask(prompt: str, **how: Any) -> Turn:
    """Begin a turn and tell the supervisor, as the view does."""
    turn = await sync_to_async(make_turn)(prompt=prompt, **how)
    supervisor.notify(turn.generation.pk)
    return turn


def parsed(block: str) -> ServerEvent:
    """Parse one event as the HTML standard says."""
    name, identity, data = "", "", []
    for line in block.split("\n"):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "id":
            identity = value
        elif field == "data":
            data.append(value)
    return ServerEvent(name, "\n".join(data), identity)


async def events_of(stream: AsyncIterator[bytes]) -> AsyncIterator[ServerEvent]:
    async for chunk in stream:
        for block in chunk.decode().split("\n\n"):
            if block:
                yield parsed(block)


async def page_events(message_id: int, place: Place = Place()) -> AsyncIterator[ServerEvent]:  # noqa: B008 - a value
    message = await sync_to_async(ended_answer)(message_id)
    async for event in events_of(page_stream(message, place)):
        yield event


async def program_events(message_id: int, place: Place = Place()) -> AsyncIterator[ServerEvent]:  # noqa: B008 - a value
    message = await sync_to_async(ended_answer)(message_id)
    async for event in events_of(program_stream(message, place)):
        yield event


async def text_of(message_id: int, place: Place = Place()) -> str:  # noqa: B008 - a value
    """Follow an answer as a program does, to its end, and return its text."""
    async with asyncio.timeout(PATIENCE):
        return "".join([json.loads(event.data)["text"] async for event in program_events(message_id, place) if event.name == "text_delta"])


async def ended(generation_id: int) -> Generation:
    """Wait for the generation's end and return it as it is kept."""
    return await until(generation_of, generation_id, holds=lambda generation: not generation.is_live)


async def until[T](read: Callable[..., T], *args: Any, holds: Callable[[T], bool]) -> T:
    """Read until `holds`; fails after PATIENCE."""
    async with asyncio.timeout(PATIENCE):
        while not holds(value := await sync_to_async(read)(*args)):
            await asyncio.sleep(0.02)
    return value


def generation_of(pk: int) -> Generation:
    return Generation.objects.select_related("message").get(pk=pk)


def message_of(pk: int) -> Message:
    return Message.objects.get(pk=pk)


def committed_text(message: Message) -> str:
    """What the database holds of an answer, wherever it is at the moment."""
    journal = entries(message.generation.pk)  # first: an answer that ends in between is in the message by then
    generation = generation_of(message.generation.pk)
    return text_in(journal) if generation.is_live else generation.message.text


def text_in(events: list[JournalEvent]) -> str:
    return "".join(event.data for event in events if event.kind == "text_delta")

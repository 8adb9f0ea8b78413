"""What a program reads: the events of an answer under their own names (docs/api.md), whatever carries them.

There is one door, `program_events`: the event stream and the WebSocket only write down what comes through it.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from typing import NamedTuple

import msgspec

from conversations.events import Event, EventKind, JournalEvent, Place
from conversations.generation.feed import feeds
from conversations.models import Generation, Message
from conversations.tool_events import TOOLS

from . import sse
from .follow import Permission, always, answer_in_thread, follow

LONGEST_DELTA = 65_536  # characters in one event: a whole answer at once may be more than a client, or a WebSocket, takes


class ProgramEvent(NamedTuple):
    """One event; its id is a place for a delta, and "" for all else. A ping has no data."""

    name: str
    data: dict[str, object] | None
    id: str = ""


class Reader:
    """Cuts the events of an answer to what lies behind a place."""

    def __init__(self, after: Place) -> None:
        self.after, self.at = after, Place()

    def read(self, events: Iterable[Event | JournalEvent]) -> list[ProgramEvent]:
        return [told for event in events for told in self._told(event.kind, event.data)]

    def _told(self, kind: str, data: str) -> Iterator[ProgramEvent]:
        if kind in DELTAS:
            yield from self._deltas(kind, data)
        elif kind in TOOLS:
            self.at = self.at._replace(tools=self.at.tools + 1)
            if self.at.tools > self.after.tools:
                yield ProgramEvent(kind, msgspec.json.decode(data), str(self.at))

    def _deltas(self, kind: str, data: str) -> Iterator[ProgramEvent]:
        name = DELTAS[kind]
        start, known = getattr(self.at, name), getattr(self.after, name)
        self.at = self.at._replace(**{name: start + len(data)})
        for begin in range(max(0, known - start), len(data), LONGEST_DELTA):
            piece = data[begin : begin + LONGEST_DELTA]
            place = self.at._replace(**{name: start + begin + len(piece)})
            yield ProgramEvent(kind, {"text": piece}, str(place))


PING = ProgramEvent("ping", None)
# The end of an answer that was deleted for good while it was read.
GONE = ProgramEvent(EventKind.DONE, {"status": "failed", "finish_reason": "", "trimmed_turns": 0})
DELTAS = {str(EventKind.REASONING_DELTA): "reasoning", str(EventKind.TEXT_DELTA): "text"}


async def program_stream(message: Message, after: Place, may_go_on: Permission = always) -> AsyncIterator[bytes]:
    """Yield `program_events` as Server-Sent Events."""
    async with aclosing(program_events(message, after, may_go_on)) as batches:
        async for events in batches:
            yield b"".join(map(encoded, events))


async def program_events(message: Message, after: Place, may_go_on: Permission = always) -> AsyncGenerator[list[ProgramEvent]]:
    """Yield the events of an answer behind `after`, those that come together in one list, to its end; `may_go_on` as for a page."""
    reader = Reader(after)
    generation = message.generation
    if generation.is_live:
        yield [PING]  # the head of the response leaves with its first bytes: a silent model must not hold it back
        with feeds.hold(generation.pk) as feed:
            seen = 0
            async with aclosing(follow(feed)) as following:
                async for has_news in following:
                    if not has_news:
                        if not await may_go_on():
                            return
                        yield [PING]
                        continue
                    fresh, seen = feed.events[seen:], len(feed.events)  # before the yield: more may come while the client reads
                    if news := reader.read(fresh):
                        yield news
    ended = await answer_in_thread(message.pk)
    yield [*rest(ended, reader), *end(ended)] if ended else [GONE]


def rest(message: Message, reader: Reader) -> list[ProgramEvent]:
    """Return what the reader has not seen yet of a finished answer."""
    return Reader(Place(*map(max, reader.after, reader.at))).read(message.events())


def end(message: Message) -> list[ProgramEvent]:
    generation = message.generation
    events = [ProgramEvent(EventKind.USAGE, usage_of(generation))] if generation.attempts else []
    if sentence := generation.error_sentence:
        events.append(ProgramEvent(EventKind.ERROR, {"code": generation.error_code or generation.status, "message": sentence}))
    done = {"status": generation.status, "finish_reason": generation.finish_reason, "trimmed_turns": generation.trimmed_turns}
    return [*events, ProgramEvent(EventKind.DONE, done)]


def usage_of(generation: Generation) -> dict[str, object]:
    usages = generation.attempts
    return {
        "input_tokens": sum(usage.input_tokens for usage in usages),
        "cached_tokens": sum(usage.cached_tokens for usage in usages),
        "cache_write_tokens": sum(usage.cache_write_tokens for usage in usages),
        "output_tokens": sum(usage.output_tokens for usage in usages),
        "reasoning_tokens": sum(usage.reasoning_tokens for usage in usages),
        "cost": f"{sum(usage.cost for usage in usages):f}",
        "currency": "USD",
        "estimated": any(usage.is_estimated for usage in usages),
    }


def encoded(event: ProgramEvent) -> bytes:
    if event.data is None:
        return sse.PING
    return sse.encode(msgspec.json.encode(event.data).decode(), event=event.name, id=event.id)

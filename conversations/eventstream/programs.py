"""The stream a program reads: the same events as JSON under their own names (docs/api.md)."""

from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing

import msgspec

from conversations.events import EventKind, JournalEvent, Place
from conversations.generation.feed import feeds
from conversations.models import Generation, Message

from . import sse
from .follow import Permission, always, answer_in_thread, follow


class Reader:
    """Cuts the events of an answer to what lies behind a place."""

    def __init__(self, after: Place) -> None:
        self.after, self.at = after, Place()

    def read(self, events: Iterable[JournalEvent]) -> bytes:
        return b"".join(self._delta(event.kind, event.data) for event in events if event.kind in DELTAS)

    def _delta(self, kind: str, data: str) -> bytes:
        name = DELTAS[kind]
        start, known = getattr(self.at, name), getattr(self.after, name)
        self.at = self.at._replace(**{name: start + len(data)})
        if start + len(data) <= known:
            return b""
        return event(kind, {"text": data[max(0, known - start) :]}, str(self.at))


GONE: dict[str, object] = {"status": "failed", "finish_reason": "", "trimmed_turns": 0}  # deleted for good while it was read
DELTAS = {str(EventKind.REASONING_DELTA): "reasoning", str(EventKind.TEXT_DELTA): "text"}


async def program_stream(message: Message, after: Place, may_go_on: Permission = always) -> AsyncIterator[bytes]:
    """Yield the events of an answer behind `after`, to its end; `may_go_on` as for a page."""
    reader = Reader(after)
    generation = message.generation
    if generation.is_live:
        yield sse.PING  # the head of the response leaves with its first bytes: a silent model must not hold it back
        with feeds.hold(generation.pk) as feed:
            seen = 0
            async with aclosing(follow(feed)) as following:
                async for has_news in following:
                    if not has_news:
                        if not await may_go_on():
                            return
                        yield sse.PING
                        continue
                    fresh, seen = feed.events[seen:], len(feed.events)  # before the yield: more may come while the client reads
                    if news := reader.read(fresh):
                        yield news
    ended = await answer_in_thread(message.pk)
    yield rest(ended, reader) + end(ended) if ended else event(EventKind.DONE, GONE)


def rest(message: Message, reader: Reader) -> bytes:
    """Return what the reader has not seen yet of a finished answer."""
    remaining = Reader(Place(max(reader.after.reasoning, reader.at.reasoning), max(reader.after.text, reader.at.text)))
    whole = [JournalEvent(1, EventKind.REASONING_DELTA, message.reasoning), JournalEvent(2, EventKind.TEXT_DELTA, message.text)]
    return remaining.read(item for item in whole if item.data)


def end(message: Message) -> bytes:
    generation = message.generation
    events = [event(EventKind.USAGE, usage_of(generation))] if generation.attempts else []
    if generation.error_sentence:
        events.append(event(EventKind.ERROR, {"code": generation.error_code or generation.status, "message": generation.error_sentence}))
    done = {"status": generation.status, "finish_reason": generation.finish_reason, "trimmed_turns": generation.trimmed_turns}
    events.append(event(EventKind.DONE, done))
    return b"".join(events)


def usage_of(generation: Generation) -> dict[str, object]:
    usages = generation.attempts
    return {
        "input_tokens": sum(usage.input_tokens for usage in usages),
        "cached_tokens": sum(usage.cached_tokens for usage in usages),
        "output_tokens": sum(usage.output_tokens for usage in usages),
        "reasoning_tokens": sum(usage.reasoning_tokens for usage in usages),
        "cost": f"{sum(usage.cost for usage in usages):f}",
        "currency": "USD",
        "estimated": any(usage.is_estimated for usage in usages),
    }


def event(kind: str, data: dict[str, object], id: str = "") -> bytes:
    return sse.encode(msgspec.json.encode(data).decode(), event=kind, id=id)

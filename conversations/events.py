"""The events of an answer, under one name each wherever they show up: provider, journal, stream, template."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class EventKind(StrEnum):
    TEXT_DELTA = "text_delta"
    REASONING_DELTA = "reasoning_delta"
    TOOL_START = "tool_start"
    TOOL_RESULT = "tool_result"
    USAGE = "usage"
    TITLE = "title"
    ERROR = "error"
    DONE = "done"


class Event(NamedTuple):
    """One event. `data` is plain text for deltas, JSON for the rest."""

    kind: EventKind
    data: str


class JournalEvent(NamedTuple):
    """An event that is committed at `position` (1, 2, 3 … without gaps) of its generation's journal."""

    position: int
    kind: str
    data: str


def joined(events: Iterable[Event | JournalEvent], kind: EventKind) -> str:
    """Return the text of all deltas of a kind."""
    return "".join(event.data for event in events if event.kind == kind)


def clean(text: str) -> str:
    """Replace what a database or UTF-8 cannot hold: NUL and lone surrogates become U+FFFD."""
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "\ufffd") if "\0" in text else text


class Place(NamedTuple):
    """How much of an answer somebody holds: "2.7" in `?after=` and in Last-Event-ID, "2.7.4" where it holds events of tools.

    A page counts closed blocks, a program characters (docs/api.md); both count the events of tools. Unlike a row number a place
    stays true after the journal is folded into the message.
    """

    reasoning: int = 0
    text: int = 0
    tools: int = 0

    def __str__(self) -> str:
        return ".".join(map(str, self if self.tools else self[:2]))

    @classmethod
    def parse(cls, value: str) -> "Place":
        """Return the place that `value` names; the beginning for what names none."""
        parts = value.split(".")
        if len(value) < 36 and len(parts) in (2, 3) and all(part.isascii() and part.isdigit() for part in parts):
            return cls(*map(int, parts))
        return cls()

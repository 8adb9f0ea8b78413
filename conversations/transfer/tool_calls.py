"""Calls of tools in a file of this site's own: taken in as they were, or, where anything about them cannot be, not at all."""

import math
from typing import Any

import msgspec

from conversations.events import EventKind
from conversations.tool_events import ToolResult, ToolStart

from .drafts import text_of

MOST_EVENTS = 500
LONGEST = 4_000_000  # characters of all that is told of them
TYPES: dict[Any, type[ToolStart | ToolResult]] = {EventKind.TOOL_START: ToolStart, EventKind.TOOL_RESULT: ToolResult}


def tool_events_of(entry: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the events of tools in a message of a file; None where there is none, or what is there is none."""
    found = entry.get("tools")
    if not isinstance(found, list) or not 0 < len(found) <= MOST_EVENTS:
        return None
    sizes = {name: len(text_of(entry.get(name))) for name in ("text", "reasoning")}
    try:
        events = [event_of(event) for event in found]
        is_short = sum(map(size_of, events)) <= LONGEST
    except (ArithmeticError, ValueError, KeyError, TypeError):
        return None
    return events if is_short and is_in_order(events, sizes) else None


def event_of(found: dict[str, Any]) -> dict[str, Any]:
    """Return an event made harmless; raises ArithmeticError, ValueError, KeyError or TypeError for what is none."""
    data = msgspec.to_builtins(msgspec.convert(found["data"], TYPES[found["event"]]))
    if not math.isfinite(data.get("seconds", 0)):
        raise ValueError("no time that a database could keep")
    kept = {name: text_of(value) if isinstance(value, str) else value for name, value in data.items()}
    behind = {name: int(found["behind"][name]) for name in ("text", "reasoning")}
    return {"event": str(found["event"]), "behind": behind, "data": kept}


def is_in_order(events: list[dict[str, Any]], sizes: dict[str, int]) -> bool:
    """Whether the calls are numbered as they came, nothing has a result before it was called, and all stand within the texts."""
    called, last = 0, {"text": 0, "reasoning": 0}
    for event in events:
        number, behind = event["data"]["call"], event["behind"]
        called += event["event"] == EventKind.TOOL_START and number == called + 1
        if not 1 <= number <= called or any(not last[name] <= behind[name] <= sizes[name] for name in sizes):
            return False
        last = behind
    return True


def size_of(event: dict[str, Any]) -> int:
    return len(msgspec.json.encode(event))

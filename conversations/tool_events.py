"""What is told of tool calls, in the journal and in messages: the words that all rooms share for it.

The text, the reasoning and the tool calls of an answer come in turns. A message keeps its text and its reasoning whole, and beside
them each event of a tool with how much of both stood before it: `folded` and `unfolded` lead from one to the other, and lose nothing.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from .events import Event, EventKind, JournalEvent

TOOLS = (EventKind.TOOL_START, EventKind.TOOL_RESULT)
DONE, FAILED, DECLINED = "done", "failed", "declined"


class ToolStart(msgspec.Struct, omit_defaults=True):
    """A model called a tool. Told again, without `waits`, once a person has approved what waited for that."""

    call: int  # 1, 2, 3 … in an answer
    round: int  # what a model asks for at once is one round
    id: str  # as the provider knows the call
    name: str
    arguments: str  # as the model wrote them, which should be a JSON object
    waits: bool = False


class ToolResult(msgspec.Struct):
    call: int
    status: str
    text: str
    seconds: float


class Kept(NamedTuple):
    """The texts of an answer, and its events of tools as `Message.tool_events` keeps them: None where there is none."""

    text: str
    reasoning: str
    tool_events: list[dict[str, Any]] | None


def started(start: ToolStart) -> Event:
    return Event(EventKind.TOOL_START, msgspec.json.encode(start).decode())


def resulted(result: ToolResult) -> Event:
    return Event(EventKind.TOOL_RESULT, msgspec.json.encode(result).decode())


def start_in(event: Event | JournalEvent) -> ToolStart:
    return msgspec.json.decode(event.data, type=ToolStart)


def result_in(event: Event | JournalEvent) -> ToolResult:
    return msgspec.json.decode(event.data, type=ToolResult)


def folded(events: Iterable[Event | JournalEvent]) -> Kept:
    """Return what a message keeps of these events."""
    texts: dict[str, list[str]] = {EventKind.TEXT_DELTA: [], EventKind.REASONING_DELTA: []}
    sizes = dict.fromkeys(texts, 0)
    tools: list[dict[str, Any]] = []
    for event in events:
        if event.kind in texts:
            texts[event.kind].append(event.data)
            sizes[event.kind] += len(event.data)
        elif event.kind in TOOLS:
            before = {"text": sizes[EventKind.TEXT_DELTA], "reasoning": sizes[EventKind.REASONING_DELTA]}
            tools.append({"event": str(event.kind), "behind": before, "data": msgspec.json.decode(event.data)})
    return Kept("".join(texts[EventKind.TEXT_DELTA]), "".join(texts[EventKind.REASONING_DELTA]), tools or None)


def unfolded(kept: Kept) -> list[Event]:
    """Return events, as few as there can be, that fold into what was kept; where nothing says otherwise the reasoning came first."""
    events: list[Event] = []
    text = reasoning = 0
    for tool in kept.tool_events or ():
        behind = tool["behind"]
        events.append(Event(EventKind.REASONING_DELTA, kept.reasoning[reasoning : behind["reasoning"]]))
        events.append(Event(EventKind.TEXT_DELTA, kept.text[text : behind["text"]]))
        events.append(Event(EventKind(tool["event"]), msgspec.json.encode(tool["data"]).decode()))
        text, reasoning = behind["text"], behind["reasoning"]
    events += [Event(EventKind.REASONING_DELTA, kept.reasoning[reasoning:]), Event(EventKind.TEXT_DELTA, kept.text[text:])]
    return [event for event in events if event.data]


def open_calls(events: Iterable[Event | JournalEvent]) -> list[ToolStart]:
    """Return the calls that have no result, each as it was told last."""
    calls: dict[int, ToolStart] = {}
    for event in events:
        if event.kind == EventKind.TOOL_START:
            start = start_in(event)
            calls[start.call] = start
        elif event.kind == EventKind.TOOL_RESULT:
            calls.pop(result_in(event).call, None)
    return list(calls.values())


def waits_for_person(events: Iterable[Event | JournalEvent]) -> bool:
    """Whether nothing is missing for the answer to go on but what a person says of its calls."""
    calls = open_calls(events)
    return bool(calls) and all(call.waits for call in calls)

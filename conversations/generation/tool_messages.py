"""What happened in an answer with tools, as the messages that a provider is told of it in the next round and in later turns."""

import re
from collections.abc import Iterable

import msgspec

from conversations.events import Event, EventKind, JournalEvent
from conversations.providers.base import ChatMessage, ToolCall
from conversations.tool_events import ToolStart, result_in, start_in

LONGEST_NAME = 64
NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]")  # what a model may make up, and providers refuse when they are told it again


def messages_of(events: Iterable[Event | JournalEvent]) -> list[ChatMessage]:
    """Return what happened in an answer as messages: what the model said with its calls, what each gave, what it said then.

    A call without a result is left out, and so are those of one round with it that wait for nothing: a provider takes all or none.
    """
    rounds = Rounds()
    for event in events:
        rounds.take(event)
    return rounds.messages()


class Rounds:
    """Puts events together again as the rounds they came in."""

    def __init__(self) -> None:
        self._messages: list[ChatMessage] = []
        self._texts: list[str] = []
        self._calls: dict[int, ToolStart] = {}
        self._results: dict[int, str] = {}

    def take(self, event: Event | JournalEvent) -> None:
        if event.kind == EventKind.TOOL_START:
            start = start_in(event)
            if self._calls and start.round != next(iter(self._calls.values())).round:
                self._close()
            self._calls[start.call] = start
        elif event.kind == EventKind.TOOL_RESULT:
            result = result_in(event)
            self._results[result.call] = result.text
        elif event.kind == EventKind.TEXT_DELTA:
            if self._calls:
                self._close()
            self._texts.append(event.data)

    def messages(self) -> list[ChatMessage]:
        self._close()
        return self._messages

    def _close(self) -> None:
        text, self._texts = "".join(self._texts), []
        calls = [call for number, call in self._calls.items() if number in self._results]
        if calls or text.strip():
            asked = tuple(ToolCall(call.id, name_in(call.name), object_in(call.arguments)) for call in calls)
            self._messages.append(ChatMessage("assistant", text.strip() if calls else text.lstrip("\n"), asked))
        self._messages += [ChatMessage("tool", self._results[call.call], call_id=call.id) for call in calls]
        self._calls, self._results = {}, {}


def name_in(name: str) -> str:
    """Return a name that every provider can read again."""
    return NOT_IN_A_NAME.sub("_", name)[:LONGEST_NAME] or "_"


def object_in(arguments: str) -> str:
    """Return arguments that every provider can read again; "{}" for what is no JSON object, strictly."""
    try:
        return arguments if isinstance(msgspec.json.decode(arguments), dict) else "{}"
    except (ValueError, RecursionError):
        return "{}"

"""What an event of Anthropic's messages says: blocks of text and of thinking, each in deltas, and at the end why it stopped.

Source: platform.claude.com "Streaming messages", "Handling stop reasons", "Prompt caching".
"""

from typing import Any

import msgspec

from conversations.events import EventKind

from .base import UsageReport
from .counts import Counts, are_believable, count, counts_in, detail
from .fold import ABSENT, ErrorObject, Fold, decoded, says_something
from .tool_calls import Calls


class Piece(msgspec.Struct):
    """A block of content, or a delta of one, or the delta of the message at its end."""

    type: str | None = None
    text: str | None = None
    thinking: str | None = None
    id: Any = None  # this and the next three: of a call of a tool
    name: Any = None
    input: Any = None
    partial_json: Any = None
    stop_reason: str | None = None
    stop_details: msgspec.Raw = ABSENT


class Message(msgspec.Struct):
    """The message as it begins, or all of it from a server that does not stream."""

    content: list[Piece] | None = None
    stop_reason: str | None = None
    stop_details: msgspec.Raw = ABSENT
    usage: msgspec.Raw = ABSENT


class MessageEvent(Message):
    type: str | None = None
    index: int | None = None
    delta: Piece | None = None
    content_block: Piece | None = None
    message: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT


DECODER = msgspec.json.Decoder(MessageEvent)
MESSAGE_DECODER = msgspec.json.Decoder(Message)


class MessageFold(Fold):
    """Folds the events of a message."""

    def __init__(self) -> None:
        super().__init__()
        self._calls, self._called = Calls(), set[int]()
        self._counts: Counts = {}
        self._has_all_counts = False

    @property
    def usage(self) -> UsageReport | None:
        """What was counted at the end: what is said at the beginning knows nothing of the answer."""
        return usage_of(self._counts) if self._has_all_counts else None

    def _take_event(self, data: bytes) -> None:
        event = decoded(DECODER, data)
        if says_something(event.error):
            raise ErrorObject(msgspec.json.decode(event.error))
        if event.type == "content_block_delta" and event.delta:
            self._take_piece(event.delta, event.index or 0)
        elif event.type == "content_block_start" and event.content_block:
            self._take_piece(event.content_block, event.index or 0)
        elif event.type == "message_start":
            self._take_counts(decoded(MESSAGE_DECODER, bytes(event.message)).usage)
        elif event.type == "message_delta":
            self._take_end(event, event.delta or Piece())
        elif event.type == "message_stop":
            self.is_done = True
        elif event.type == "message":
            self._take_whole(event)
        elif event.type == "error":
            raise ErrorObject(bytes(event.message).decode("utf-8", "replace"))

    def _take_piece(self, piece: Piece, index: int) -> None:
        self._add(EventKind.REASONING_DELTA, piece.thinking)
        self._add(EventKind.TEXT_DELTA, piece.text)
        if piece.type == "tool_use":
            self._called.add(index)
            self._take_call(index, piece.id, {"name": piece.name, "arguments": piece.input or ""})
        elif piece.type == "input_json_delta" and index in self._called:  # else of a tool that runs at the provider
            self._take_call(index, "", {"arguments": piece.partial_json})

    def _take_call(self, index: int, identity: Any, function: dict[str, Any]) -> None:
        self._calls.take([{"index": index, "id": identity, "function": function}])

    def _take_whole(self, message: MessageEvent) -> None:
        for index, piece in enumerate(message.content or ()):
            self._take_piece(piece, index)
        self._take_end(message, message)

    def _take_end(self, event: MessageEvent, end: Piece | Message) -> None:
        self._take_counts(event.usage)
        self._has_all_counts = says_something(event.usage)
        self.finish_reason = (end.stop_reason or "")[:40]
        if says_something(end.stop_details):
            self.refusal = explanation_in(msgspec.json.decode(end.stop_details))
        self._tell(self._calls.taken())  # nothing more can be added to them

    def _take_counts(self, raw: msgspec.Raw) -> None:
        """Each event says some of the counts, cumulated."""
        if says_something(raw):
            self._counts |= {name: value for name, value in counts_in(raw).items() if value is not None}


def explanation_in(details: Any) -> str:
    """Return what the provider says of a refusal; "" where it says nothing."""
    if not isinstance(details, dict):
        return ""
    said = [details.get("category"), details.get("explanation")]
    return ": ".join(text for text in said if isinstance(text, str) and text)


def usage_of(counts: Counts) -> UsageReport | None:
    """Read the counts. Here the input is what was neither read from the cache nor written to it; ours includes both."""
    names = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    if not are_believable(counts, *names):
        return None
    fresh, output, cached, written = (count(counts.get(name)) for name in names)
    return UsageReport(
        input_tokens=fresh + cached + written,
        output_tokens=output,
        cached_tokens=cached,
        reasoning_tokens=min(detail(counts, "output_tokens_details", "thinking_tokens"), output),
        cache_write_tokens=written,
    )

"""What an event of OpenAI's Responses says. The last one holds the whole response again, of which only its end is read.

Source: the OpenAI API reference, "Responses: streaming events".
"""

from typing import Any

import msgspec

from conversations.events import EventKind

from .base import UsageReport
from .counts import are_believable, count, counts_in, detail
from .fold import ABSENT, ErrorObject, Fold, decoded, says_something
from .tool_calls import Calls

KINDS = {
    "response.output_text.delta": EventKind.TEXT_DELTA,
    "response.refusal.delta": EventKind.TEXT_DELTA,
    "response.reasoning_summary_text.delta": EventKind.REASONING_DELTA,
    "response.reasoning_text.delta": EventKind.REASONING_DELTA,  # of open models, which hide nothing
}
ENDS = {"response.completed", "response.incomplete", "response.failed"}


class Part(msgspec.Struct):
    """A part of an item: of its text, of a refusal or of a summary."""

    text: str | None = None
    refusal: str | None = None


class Call(msgspec.Struct):
    """A call of a tool, if that is the item's type."""

    type: Any = None
    call_id: Any = None
    name: Any = None
    arguments: Any = None


class Item(Call):
    """A message, a piece of reasoning, or a call."""

    content: list[Part] | None = None
    summary: list[Part] | None = None


class Incomplete(msgspec.Struct):
    reason: str | None = None


class Response(msgspec.Struct):
    status: str | None = None
    output: list[Item] | None = None
    incomplete_details: Incomplete | None = None
    usage: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT


class ResponseEvent(msgspec.Struct):
    """One event; `error`, `code` and `message` are of one that tells an error. What is read late stays raw."""

    type: str | None = None
    delta: Any = None
    item: msgspec.Raw = ABSENT
    response: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT
    code: Any = None
    message: Any = None


DECODER = msgspec.json.Decoder(ResponseEvent)
CALL_DECODER = msgspec.json.Decoder(Call)
RESPONSE_DECODER = msgspec.json.Decoder(Response)


class ResponseFold(Fold):
    """Folds the events of a response."""

    def __init__(self) -> None:
        super().__init__()
        self._usage: msgspec.Raw | None = None
        self._calls, self._called = Calls(), 0
        self._has_reasoned = self._has_refused = False

    @property
    def usage(self) -> UsageReport | None:
        return usage_of(self._usage) if self._usage else None

    def _take_event(self, data: bytes) -> None:
        if self.is_one_document:
            self._take_whole(decoded(RESPONSE_DECODER, data))
            return
        if data == b"[DONE]":  # not OpenAI's, but of some who imitate it
            return
        event = decoded(DECODER, data)
        if kind := KINDS.get(event.type or ""):
            self._has_reasoned = self._has_reasoned or kind is EventKind.REASONING_DELTA
            self._has_refused = self._has_refused or event.type == "response.refusal.delta"
            self._add(kind, event.delta)
        elif event.type == "response.reasoning_summary_part.added" and self._has_reasoned:
            self._add(EventKind.REASONING_DELTA, "\n\n")
        elif event.type == "response.output_item.done" and says_something(event.item):
            self._take_call(decoded(CALL_DECODER, bytes(event.item)))
        elif event.type in ENDS:
            self._take_end(decoded(RESPONSE_DECODER, bytes(event.response)))
        elif says_something(event.error):
            raise ErrorObject(msgspec.json.decode(event.error))
        elif event.type == "error":
            raise ErrorObject({"code": event.code, "message": event.message})

    def _take_whole(self, response: Response) -> None:
        """Take the response of a server that does not stream."""
        for item in response.output or ():
            self._take_call(item)
            self._add(EventKind.REASONING_DELTA, "\n\n".join(part.text or "" for part in item.summary or ()))
            for part in item.content or ():
                self._add(EventKind.REASONING_DELTA if item.type == "reasoning" else EventKind.TEXT_DELTA, part.text)
                self._add(EventKind.TEXT_DELTA, part.refusal)
                self._has_refused = self._has_refused or bool(part.refusal)
        self._take_end(response)

    def _take_call(self, item: Call) -> None:
        """Take an item that is done: what a model writes of a call before is not shown, and stands in it again."""
        if item.type == "function_call":
            function = {"name": item.name, "arguments": item.arguments}
            self._calls.take([{"index": self._called, "id": item.call_id, "function": function}])
            self._called += 1

    def _take_end(self, response: Response) -> None:
        if says_something(response.usage):
            self._usage = response.usage
        if says_something(response.error):
            raise ErrorObject(msgspec.json.decode(response.error))
        if response.status == "failed":
            raise ErrorObject({"message": "failed, and not said why"})
        details = response.incomplete_details
        reason = details.reason if details else response.status
        self.finish_reason = "refusal" if self._has_refused else (reason or "")[:40]
        self._tell(self._calls.taken())
        self.is_done = True


def usage_of(raw: msgspec.Raw) -> UsageReport | None:
    """Read the usage object; None where it says nothing of tokens that can be true."""
    counts = counts_in(raw)
    if not are_believable(counts, "input_tokens", "output_tokens"):
        return None
    read, output = count(counts.get("input_tokens")), count(counts.get("output_tokens"))
    cached = min(detail(counts, "input_tokens_details", "cached_tokens"), read)
    return UsageReport(
        input_tokens=read,
        output_tokens=output,
        cached_tokens=cached,
        reasoning_tokens=min(detail(counts, "output_tokens_details", "reasoning_tokens"), output),
        cache_write_tokens=min(detail(counts, "input_tokens_details", "cache_write_tokens"), read - cached),
    )

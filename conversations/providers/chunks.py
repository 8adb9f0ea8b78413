"""What a chat completion chunk says, folded into events: the part of the OpenAI protocol that servers vary most.

Decodes the few fields we need with msgspec and ignores the rest. Knows bytes and events; opens no connection.
"""

import json
from typing import Any

import msgspec

from conversations.events import Event, EventKind

from .base import UsageReport

MAX_COUNT = 10**8  # tokens; no answer has so many, and who says so counts wrong
ABSENT = msgspec.Raw()


class Part(msgspec.Struct):
    """A part of a content list: text, or Mistral's {"type": "thinking", "thinking": [parts]}."""

    text: str | None = None
    thinking: "list[Part] | str | None" = None


class Delta(msgspec.Struct):
    content: str | list[Part | str] | None = None
    reasoning_content: Any = None  # DeepSeek, vLLM, llama.cpp
    reasoning: Any = None  # OpenRouter
    refusal: Any = None


class Choice(msgspec.Struct):
    index: int | None = 0
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None


class Chunk(msgspec.Struct):
    """One chunk, or the whole completion of a server that does not stream. What is read late stays raw."""

    choices: list[Choice] | None = None
    usage: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT
    object: Any = None  # "error" for vLLM, which then says the rest without an envelope
    message: Any = None
    code: Any = None


DECODE = msgspec.json.Decoder(Chunk).decode


class ErrorObject(Exception):
    """The provider put an error object where an answer belongs."""

    def __init__(self, error: Any) -> None:
        super().__init__("error object")
        self.error = error


class Fold:
    """Folds chunks into batches of events and remembers what the attempt is known by."""

    def __init__(self) -> None:
        self.finish_reason = ""
        self.has_text = self.is_done = self.is_one_document = False
        self._usage: msgspec.Raw | None = None
        self._failure: Exception | None = None
        self._batch: list[Event] = []
        self._kind, self._texts = EventKind.TEXT_DELTA, list[str]()

    def take(self, events: list[bytes]) -> list[Event]:
        """Return the deltas of one read, adjacent ones merged; raises ErrorObject and whatever decoding raises.

        What stands before a broken event in the same read is returned first: the person keeps all that arrived.
        """
        try:
            self._take_events(events)
        except Exception as error:
            self._failure = error
        self._flush()
        batch, self._batch = self._batch, []
        if not batch and self._failure:
            raise self._failure
        return batch

    def raise_failure(self) -> None:
        """Raise what an earlier read broke on, once what stood before it has been returned."""
        if self._failure:
            raise self._failure

    @property
    def usage(self) -> UsageReport | None:
        """The last usage that was sent: those who send it in every chunk send it cumulated."""
        return usage_of(self._usage) if self._usage else None

    def _take_events(self, events: list[bytes]) -> None:
        for data in events:
            if self.is_done or self._failure:
                return
            if data == b"[DONE]":
                self.is_done = True
            else:
                self._take_chunk(decode(data))
        self.is_done = self.is_done or (self.is_one_document and bool(events))

    def _take_chunk(self, chunk: Chunk) -> None:
        if says_something(chunk.error):
            raise ErrorObject(msgspec.json.decode(chunk.error))
        if chunk.object == "error":
            raise ErrorObject({"message": chunk.message, "code": chunk.code})
        if says_something(chunk.usage):
            self._usage = chunk.usage
        for choice in chunk.choices or ():
            if not choice.index:
                self._take_choice(choice, choice.message if self.is_one_document else choice.delta)

    def _take_choice(self, choice: Choice, delta: Delta | None) -> None:
        if choice.finish_reason:
            self.finish_reason = choice.finish_reason[:40]
        if not delta:
            return
        if reasoning := delta.reasoning_content or delta.reasoning:
            self._add(EventKind.REASONING_DELTA, reasoning)
        content = delta.content
        if type(content) is list:
            self._take_parts(content)
        elif content:
            self._add(EventKind.TEXT_DELTA, content)
        if delta.refusal:
            self._add(EventKind.TEXT_DELTA, delta.refusal)

    def _take_parts(self, parts: list[Part | str]) -> None:
        for part in parts:
            if isinstance(part, str):
                self._add(EventKind.TEXT_DELTA, part)
            else:
                self._add(EventKind.REASONING_DELTA, thinking_of(part))
                self._add(EventKind.TEXT_DELTA, part.text)

    def _add(self, kind: EventKind, text: Any) -> None:
        if not text or not isinstance(text, str):
            return
        if kind is not self._kind:
            self._flush()
            self._kind = kind
        self._texts.append(text)

    def _flush(self) -> None:
        if not self._texts:
            return
        text = "".join(self._texts)
        self._texts.clear()
        if "\0" in text:  # PostgreSQL keeps no NUL in a text
            text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
        self.has_text = self.has_text or self._kind is EventKind.TEXT_DELTA
        self._batch.append(Event(self._kind, text))


def decode(data: bytes) -> Chunk:
    """Decode one chunk. Bad UTF-8 and halves of surrogate pairs become replacement characters, not errors."""
    try:
        return DECODE(data)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        document = json.dumps(json.loads(data.decode("utf-8", "replace")), ensure_ascii=False)
        return DECODE(document.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def says_something(raw: msgspec.Raw) -> bool:
    return raw is not ABSENT and bytes(raw) not in (b"null", b"{}", b'""', b"false")


def thinking_of(part: Part) -> str:
    if isinstance(part.thinking, list):
        return "".join(piece.text or "" for piece in part.thinking)
    return part.thinking or ""


def usage_of(raw: msgspec.Raw) -> UsageReport | None:
    """Read the usage object, whatever numbers it holds; None where it says nothing of tokens that can be true."""
    try:
        usage = json.loads(bytes(raw))  # not msgspec, which refuses a whole document for one number out of range
    except (ValueError, RecursionError):
        return None
    if not isinstance(usage, dict) or (usage.get("prompt_tokens") is None and usage.get("completion_tokens") is None):
        return None
    if any(is_absurd(value) for value in (usage.get("prompt_tokens"), usage.get("completion_tokens"))):
        return None
    input_tokens, output_tokens = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    cached = count(detail(usage, "prompt_tokens_details", "cached_tokens")) or count(usage.get("prompt_cache_hit_tokens"))
    reasoning = count(detail(usage, "completion_tokens_details", "reasoning_tokens"))
    return UsageReport(input_tokens, output_tokens, min(cached, input_tokens), min(reasoning, output_tokens))


def detail(usage: dict[str, Any], group: str, name: str) -> Any:
    details = usage.get(group)
    return details.get(name) if isinstance(details, dict) else None


def is_absurd(value: Any) -> bool:
    """Say whether a count is so large that it is none: the tokens are estimated then."""
    return isinstance(value, int | float) and value > MAX_COUNT


def count(value: Any) -> int:
    """Clamp what should be a number of tokens to 0..MAX_COUNT; anything that is no number is 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return 0
    return int(min(max(value, 0), MAX_COUNT))

"""What a chat completion chunk says: the part of the OpenAI protocol that servers vary most.

Decodes the few fields we need with msgspec and ignores the rest.
"""

from typing import Any

import msgspec

from conversations.events import EventKind

from .base import UsageReport
from .counts import are_believable, count, counts_in, detail
from .fold import ABSENT, ErrorObject, Fold, decoded, says_something
from .tool_calls import Calls


class Part(msgspec.Struct):
    """A part of a content list: text, or Mistral's {"type": "thinking", "thinking": [parts]}."""

    text: str | None = None
    thinking: "list[Part] | str | None" = None


class Delta(msgspec.Struct):
    content: str | list[Part | str] | None = None
    reasoning_content: Any = None  # DeepSeek, vLLM, llama.cpp
    reasoning: Any = None  # OpenRouter
    refusal: Any = None
    tool_calls: Any = None


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


DECODER = msgspec.json.Decoder(Chunk)


class ChunkFold(Fold):
    """Folds the chunks of a chat completion."""

    def __init__(self) -> None:
        super().__init__()
        self._usage: msgspec.Raw | None = None
        self._has_refused = False
        self._calls = Calls()

    @property
    def usage(self) -> UsageReport | None:
        """The last usage that was sent: those who send it in every chunk send it cumulated."""
        return usage_of(self._usage) if self._usage else None

    def _take_event(self, data: bytes) -> None:
        if data == b"[DONE]":
            self.is_done = True
            self._tell(self._calls.taken())
            return
        chunk = decoded(DECODER, data)
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
        if delta:
            self._take_delta(delta)
        if choice.finish_reason:
            self.finish_reason = "refusal" if self._has_refused else choice.finish_reason[:40]
            self._tell(self._calls.taken())  # nothing more can be added to them

    def _take_delta(self, delta: Delta) -> None:
        if reasoning := delta.reasoning_content or delta.reasoning:
            self._add(EventKind.REASONING_DELTA, reasoning)
        content = delta.content
        if type(content) is list:
            self._take_parts(content)
        elif content:
            self._add(EventKind.TEXT_DELTA, content)
        if delta.refusal:
            self._has_refused = True
            self._add(EventKind.TEXT_DELTA, delta.refusal)
        if delta.tool_calls:
            self._calls.take(delta.tool_calls)

    def _take_parts(self, parts: list[Part | str]) -> None:
        for part in parts:
            if isinstance(part, str):
                self._add(EventKind.TEXT_DELTA, part)
            else:
                self._add(EventKind.REASONING_DELTA, thinking_of(part))
                self._add(EventKind.TEXT_DELTA, part.text)


def thinking_of(part: Part) -> str:
    if isinstance(part.thinking, list):
        return "".join(piece.text or "" for piece in part.thinking)
    return part.thinking or ""


def usage_of(raw: msgspec.Raw) -> UsageReport | None:
    """Read the usage object; None where it says nothing of tokens that can be true."""
    counts = counts_in(raw)
    if not are_believable(counts, "prompt_tokens", "completion_tokens"):
        return None
    read, written = count(counts.get("prompt_tokens")), count(counts.get("completion_tokens"))
    cached = detail(counts, "prompt_tokens_details", "cached_tokens") or count(counts.get("prompt_cache_hit_tokens"))
    return UsageReport(
        input_tokens=read,
        output_tokens=written,
        cached_tokens=min(cached, read),
        reasoning_tokens=min(detail(counts, "completion_tokens_details", "reasoning_tokens"), written),
        cache_write_tokens=min(detail(counts, "prompt_tokens_details", "cache_write_tokens"), read - min(cached, read)),
    )

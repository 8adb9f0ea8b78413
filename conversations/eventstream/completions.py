"""What a program is told of its call in OpenAI's form: one document, or chunks as Server-Sent Events.

What goes wrong before the first word is a status of HTTP, as OpenAI's clients expect; later it is told in the stream.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from conversations.events import Event, EventKind
from conversations.generation import allowance
from conversations.generation.calls import Call
from conversations.generation.supervisor import supervisor
from conversations.models import Status, Usage
from conversations.models.generations import OUTPUT_LIMIT, REFUSALS

from . import sse

DONE = b"data: [DONE]\n\n"
WAITING = b": waiting\n\n"
NAMES = {EventKind.TEXT_DELTA: "content", EventKind.REASONING_DELTA: "reasoning_content"}  # the second as DeepSeek and vLLM have it
# Which status says what a provider's error means to the program. What staff have to mend is a bad gateway.
STATUSES = {
    "context_too_long": 400,
    "refused": 400,
    "invalid_token": 401,
    "rate_limited": 429,
    "internal_error": 500,
    "interrupted": 503,
    "unavailable": 503,
    "first_token_timeout": 504,
    "idle_timeout": 504,
}
CODES = {"context_too_long": "context_length_exceeded", "rate_limited": "rate_limit_exceeded"}
type Refuse = Callable[[str, int, str, int | None], HttpResponse]


@dataclass(slots=True)
class Telling:
    """One answer to one program. `refuse` makes the response that says no: of a sentence, a status, a code, and seconds to wait."""

    call: Call
    model: str  # as the program named it
    wants_usage: bool
    refuse: Refuse
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    async def stream(self) -> HttpResponseBase:
        """Return the response once the model has begun, or has been silent for so long that a client would give up."""
        supervisor.hold(self.call.run())
        try:
            async with asyncio.timeout(sse.PING_SECONDS):
                first = await self.call.take()
        except TimeoutError:
            first = None
        if first == [] and (refusal := self._refusal()):
            return refusal
        return StreamingHttpResponse(self._chunks(first), headers=sse.HEADERS)

    async def whole(self) -> HttpResponseBase:
        supervisor.hold(self.call.run())
        while await self.call.take():
            pass
        return self._refusal() or HttpResponse(msgspec.json.encode(self._document()), content_type="application/json")

    def _refusal(self) -> HttpResponse | None:
        if refused := self.call.refusal:
            return self.refuse(str(refused), refused.status, refused.code, refused.retry_after)
        if is_answered(self.call):
            return None
        told = self._error()
        retry_after = self.call.error.retry_after if self.call.error else None
        return self.refuse(told["message"], status_of(self.call), told["code"], round(retry_after) if retry_after else None)

    async def _chunks(self, batch: list[Event] | None) -> AsyncIterator[bytes]:
        """Yield what has come and what comes, and something at least every PING_SECONDS."""
        yield self._chunk({"role": "assistant", "content": ""})
        while batch is None or batch:
            yield b"".join(self._chunk({NAMES[kind]: text}) for kind, text in batch) if batch else WAITING
            try:
                async with asyncio.timeout(sse.PING_SECONDS):
                    batch = await self.call.take()
            except TimeoutError:
                batch = None
        yield self._end()

    def _end(self) -> bytes:
        if refused := self.call.refusal:
            return data({"error": error_of(str(refused), refused.status, refused.code)})
        if not is_answered(self.call):
            return data({"error": self._error()})
        usage = [data(self._head("chat.completion.chunk") | {"choices": [], "usage": self._usage()})] if self.wants_usage else []
        return b"".join([self._chunk({}, finish_reason_of(self.call)), *usage, DONE])

    def _chunk(self, delta: dict[str, str], finish_reason: str | None = None) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
        return data(self._head("chat.completion.chunk") | {"choices": choices})

    def _document(self) -> dict[str, Any]:
        text, reasoning = self.call.written
        message = {"role": "assistant", "content": text} | ({"reasoning_content": reasoning} if reasoning else {})
        choices = [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason_of(self.call)}]
        return self._head("chat.completion") | {"choices": choices, "usage": self._usage()}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}

    def _usage(self) -> dict[str, Any]:
        return usage_of(self.call.usage) if self.call.usage else {}

    def _error(self) -> dict[str, Any]:
        """Say what went wrong, in OpenAI's form."""
        outcome = self.call.outcome
        return error_of(outcome.error_sentence, status_of(self.call), CODES.get(outcome.error_code, outcome.error_code))


def error_of(sentence: str, status: int, code: str) -> dict[str, Any]:
    return {"message": sentence, "type": "server_error" if status >= 500 else "invalid_request_error", "param": None, "code": code}


def status_of(call: Call) -> int:
    return STATUSES.get(call.outcome.error_code, 502)


def is_answered(call: Call) -> bool:
    """Say whether what came is an answer, also one that ended where a budget did."""
    return call.outcome.status == Status.COMPLETE or call.outcome.error_code == allowance.CODE


def finish_reason_of(call: Call) -> str:
    """Return OpenAI's word for how the answer ended."""
    named = call.outcome.finish_reason.lower()
    if named in OUTPUT_LIMIT or call.outcome.error_code == allowance.CODE:
        return "length"
    return "content_filter" if named in REFUSALS else "stop"


def usage_of(usage: Usage) -> dict[str, Any]:
    """Return a row of the ledger in OpenAI's names; cost and whether it is an estimate are ours."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "cost": f"{usage.cost:f}",
        "currency": "USD",
        "estimated": usage.is_estimated,
    }


def data(document: dict[str, Any]) -> bytes:
    """Return one event. JSON has no bare line ends, so it is one line."""
    return b"data: " + msgspec.json.encode(document) + b"\n\n"

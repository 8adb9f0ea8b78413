"""The protocols that are spoken over HTTP, and what was recorded of each: an adapter joins the contract by a line in WIRES."""

import json
from dataclasses import dataclass, field
from functools import cached_property

from .wire import recorded

# The quirks of chat completions have names of their own.
OLDER_NAMES = {"text.sse": "openai.sse", "reasoning.sse": "deepseek.sse", "tool_call.sse": "tool_calls.sse"}


@dataclass(frozen=True)
class Wired:
    """A protocol: where it is asked, how its servers keep a connection alive, and under which name a file was recorded."""

    protocol: str
    path: str
    ping: bytes = b": ping\n\n"
    names: dict[str, str] = field(default_factory=dict, hash=False)

    def recorded(self, name: str) -> bytes:
        return recorded(self.names.get(name, name), self.protocol)

    @cached_property
    def errors(self) -> dict[str, bytes]:
        """The bodies of errors by status, some with a word behind it."""
        return {status: json.dumps(body).encode() for status, body in json.loads(self.recorded("errors.json")).items()}


CHAT_PING = b': ping\n\ndata: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n'
RESPONSES_PING = b'event: keepalive\ndata: {"type":"keepalive","sequence_number":3}\n\n'
ANTHROPIC_PING = b'event: ping\ndata: {"type": "ping"}\n\n'

WIRES = {
    "openai_chat": Wired("openai_chat", "/v1/chat/completions", CHAT_PING, OLDER_NAMES),
    "openai_responses": Wired("openai_responses", "/v1/responses", RESPONSES_PING),
    "anthropic": Wired("anthropic", "/v1/messages", ANTHROPIC_PING),
}

"""What every provider adapter is: a request goes in, batches of typed stream events come out. No ORM here."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import msgspec

from conversations.events import Event, EventKind

# The last message of a request that asks for the rest of an answer, which stands before it. In words, because few
# protocols let a model go on with a text that is given.
GO_ON = (
    "Your last message was cut off. Go on with it from exactly where it ends, as if it had never been interrupted. "
    "Repeat nothing of it, and say nothing before or about it."
)
SHORTEST_SECRET = 6  # characters; a key such as "x" is a dummy, and stands in every other word


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How to reach a provider. Times in seconds."""

    protocol: str
    base_url: str
    api_key: str = field(default="", repr=False)
    connect_timeout: float = 10
    first_token_timeout: float = 120
    idle_timeout: float = 60
    reports_usage: bool = True

    def without_key(self, text: str) -> str:
        """Return what a provider said with the key taken out: some repeat the one they refuse."""
        key = self.api_key.strip()
        return text.replace(key, "[key]") if len(key) >= SHORTEST_SECRET else text


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as a model is told of it."""

    name: str
    description: str
    parameters: dict[str, Any]  # a JSON Schema of an object


class ToolCall(msgspec.Struct, frozen=True):
    """A call as a model asks for it. A stream tells it as the data of a `tool_start`, once all of its arguments are there."""

    id: str  # "" where the provider gives none; unique, and never empty, in what is sent back
    name: str
    arguments: str  # as the model wrote them; in what is sent back always a JSON object

    def told(self) -> Event:
        return Event(EventKind.TOOL_START, msgspec.json.encode(self).decode())

    @classmethod
    def told_in(cls, event: Event) -> Self:
        return msgspec.json.decode(event.data, type=cls)


@dataclass(frozen=True, slots=True)
class ChatMessage:
    role: str  # "user", "assistant", or "tool": what the call `call_id` of the assistant's message before it gave
    text: str
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request for one answer.

    `parameters` are named as in chat completions (temperature, max_tokens, reasoning_effort …): an adapter of another protocol
    translates what that names otherwise, leaves out what it refuses, and sends the rest as it is.
    """

    model_id: str
    messages: Sequence[ChatMessage]
    system_prompt: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    tools: Sequence[ToolSpec] = ()
    may_call_tools: bool = True  # False: they stand there because messages before speak of them
    purpose: str = "answer"  # or "title", "api"; nothing of it goes over the wire
    reasons: bool = False  # the model can think before it answers


@dataclass(slots=True)
class UsageReport:
    """Tokens as the provider counted them: `input_tokens` includes those read from a cache and those written to one,
    `output_tokens` the reasoning."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_tokens: int = 0


class Stream(Protocol):
    """One upstream attempt. Iterate it once; closing it (or cancelling the task that reads it) ends the upstream call.

    It yields batches, because one read of the network may carry many tokens: a reader that is paced by its commits
    pays once for all that came in between. Raises ProviderError, and only that, for whatever goes wrong upstream.
    After a normal end (or an error) the attributes say what is known of the attempt.
    """

    @property
    def usage(self) -> UsageReport | None: ...

    @property
    def finish_reason(self) -> str: ...  # as the provider named it; "" while unknown

    @property
    def request_id(self) -> str: ...

    def __aiter__(self) -> AsyncIterator[list[Event]]: ...

    async def aclose(self) -> None: ...


class Adapter(Protocol):
    """One wire protocol at one endpoint."""

    def stream(self, request: ChatRequest) -> Stream:
        """Return the stream of an answer; nothing is sent before it is iterated."""
        ...

    async def list_models(self) -> list[str]:
        """Return the model ids the provider offers; raises ProviderError."""
        ...

    async def aclose(self) -> None:
        """Close the connections that are kept."""
        ...

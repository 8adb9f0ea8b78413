"""The OpenAI chat completions protocol, as OpenAI and a hundred compatible servers speak it.

The raw bytes are split and decoded here because the SDK's typed chunks cost four times as much per token.
It never retries: an attempt that failed is an attempt that is accounted for, and the engine decides what comes next.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, suppress
from functools import cache, cached_property
from typing import Any, Self

import httpx2
import msgspec
import openai

from conversations.events import Event

from .base import ChatRequest, Endpoint, UsageReport
from .chunks import ErrorObject, Fold
from .errors import FirstTokenTimeout, IdleTimeout, Malformed, ProviderError, Refused, Unavailable
from .faults import fault_of
from .sse import EventSplitter, WholeBody

NO_KEY = "none"  # local servers need no key, the SDK does
OURS = frozenset({"model", "messages", "stream", "stream_options"})  # never overridden by parameters
HEADERS = {"Accept-Encoding": "identity"}  # a compressor holds tokens back
USAGE_PATIENCE = 5.0  # seconds to wait for usage once the answer is whole
END_PATIENCE = 0.1  # seconds for the response to end after [DONE], so that its connection can be used again
MODELS_PATIENCE = 30.0
# The transport leaves out a limit of None and aiohttp then takes its own, 100; aiohttp's word for "no limit" is 0.
LIMITS = httpx2.Limits(max_connections=0, max_keepalive_connections=100, keepalive_expiry=30)


@cache
def ssl_context() -> ssl.SSLContext:
    """One for all endpoints: reading the certificates takes the event loop a tenth of a second."""
    return httpx2.create_ssl_context()


class OpenAIChatAdapter:
    """One endpoint that speaks chat completions, with the connections kept open to it."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    @cached_property
    def client(self) -> openai.AsyncOpenAI:
        connect = self.endpoint.connect_timeout
        # aiohttp counts the look-up of the name by `pool`; without it a dead name server is waited for in vain.
        timeout = httpx2.Timeout(None, connect=connect, pool=connect)
        client = openai.AsyncOpenAI(
            base_url=self.endpoint.base_url,
            api_key=self.endpoint.api_key.strip() or NO_KEY,
            max_retries=0,
            timeout=timeout,
            http_client=openai.DefaultAioHttpClient(limits=LIMITS, timeout=timeout, verify=ssl_context()),
        )
        # The SDK takes OPENAI_ORG_ID, OPENAI_PROJECT_ID and OPENAI_CUSTOM_HEADERS along to every provider: secrets of one told to all.
        client.organization = client.project = None
        client._custom_headers = HEADERS
        return client

    def stream(self, request: ChatRequest) -> "OpenAIChatStream":
        return OpenAIChatStream(self, request)

    async def list_models(self) -> list[str]:
        """Return the model ids the provider offers, sorted; raises ProviderError."""
        try:
            async with asyncio.timeout(min(self.endpoint.first_token_timeout, MODELS_PATIENCE)):
                response = await self.client.get("/models", cast_to=httpx2.Response)
        except TimeoutError:
            raise Unavailable("no list of models in time") from None
        except Exception as error:
            raise self.fault(error, Unavailable) from error
        return model_ids(response.content)

    async def aclose(self) -> None:
        if "client" in self.__dict__:
            await self.client.close()

    def fault(self, error: Exception, unexpected: type[ProviderError]) -> ProviderError:
        """Return our error for one of the SDK's or of its transport; no detail ever holds the key."""
        fault = fault_of(error, unexpected)
        return type(fault)(self.endpoint.without_key(fault.detail), retry_after=fault.retry_after)


class OpenAIChatStream:
    """One answer. Iterate it once; see base.Stream."""

    def __init__(self, adapter: OpenAIChatAdapter, request: ChatRequest) -> None:
        self.request_id = ""
        self._adapter, self._request = adapter, request
        self._fold = Fold()
        self._upstream = AsyncExitStack()
        self._reads: AsyncIterator[bytes] | None = None
        self._splitter: EventSplitter | WholeBody = EventSplitter()
        self._patience: asyncio.Timeout | None = None
        self._has_begun = self._has_answered = self._is_timed_out = self._is_over = False

    @property
    def usage(self) -> UsageReport | None:
        return self._fold.usage

    @property
    def finish_reason(self) -> str:
        return self._fold.finish_reason

    def __aiter__(self) -> Self:
        if self._has_begun:
            raise RuntimeError("A stream is iterated once.")
        self._has_begun = True
        return self

    async def __anext__(self) -> list[Event]:
        if self._is_over:
            raise StopAsyncIteration
        batch: list[Event] = []
        try:
            batch = await self._next_batch()
        finally:
            if not batch or self._is_over:
                await self._close()
        if not batch:
            raise StopAsyncIteration
        self._has_answered = True
        return batch

    async def aclose(self) -> None:
        """End the upstream call. A task that is reading right now closes it itself, and its iteration ends."""
        self._is_over = True
        if self._patience is None:
            await self._close()
        elif not self._patience.expired():
            self._patience.reschedule(0)

    async def _close(self) -> None:
        self._is_over = True
        with suppress(Exception):  # the connection goes either way
            await self._upstream.aclose()

    async def _next_batch(self) -> list[Event]:
        """Return the next batch, or an empty one at the end of a whole answer."""
        try:
            batch = await self._read_in_time()
        except Exception as error:  # the adapter's only way out for errors: nothing but ProviderError leaves it
            if not self._is_whole_without(error):
                raise self._fault(error) from error
            batch = []
        if not batch and not self._is_over:
            self._check_end()
        return batch

    def _is_whole_without(self, error: Exception) -> bool:
        """After the finish reason only usage is missing: a silence or a cut takes nothing from the answer."""
        is_finished = bool(self._fold.finish_reason) and not isinstance(error, ErrorObject)
        return self._is_over or self._fold.is_done or is_finished

    def _fault(self, error: Exception) -> ProviderError:
        if self._is_timed_out:
            return IdleTimeout() if self._has_answered else FirstTokenTimeout()
        if isinstance(error, openai.APIStatusError):
            self.request_id = (error.request_id or "")[:200]
        return self._adapter.fault(error, Malformed if self._reads else Unavailable)

    async def _read_in_time(self) -> list[Event]:
        try:
            async with asyncio.timeout(self._seconds()) as self._patience:
                if self._reads is None:
                    self._reads = await self._open()
                return await self._read_batch(self._reads)
        finally:
            self._is_timed_out = self._patience is not None and self._patience.expired()
            self._patience = None

    def _seconds(self) -> float:
        """How long the next thing to show, or the end, is waited for."""
        endpoint = self._adapter.endpoint
        if self._fold.is_done:
            return END_PATIENCE
        if self._fold.finish_reason:
            return min(USAGE_PATIENCE, endpoint.idle_timeout)
        return endpoint.idle_timeout if self._has_answered else endpoint.first_token_timeout

    def _hurry(self) -> None:
        """Shorten the wait that is under way once the answer is whole; never lengthen it."""
        deadline = asyncio.get_running_loop().time() + self._seconds()
        if self._patience and deadline < (self._patience.when() or 0):
            self._patience.reschedule(deadline)

    async def _open(self) -> AsyncIterator[bytes]:
        body = body_of(self._request, reports_usage=self._adapter.endpoint.reports_usage)
        call = self._adapter.client.post("/chat/completions", cast_to=object, body=body, stream=True, stream_cls=openai.AsyncStream[object])
        response = (await self._upstream.enter_async_context(await call)).response
        self.request_id = response.headers.get("x-request-id", "")[:200]
        self._splitter = splitter_for(response.headers.get("content-type", ""), self._fold)
        return await self._upstream.enter_async_context(aclosing(response.aiter_bytes()))

    async def _read_batch(self, reads: AsyncIterator[bytes]) -> list[Event]:
        """Read until something is to be shown; keep-alives and empty deltas do not move the deadline."""
        self._fold.raise_failure()
        async for read in reads:
            if batch := self._fold.take(self._splitter.feed(read)):
                return batch
            if self._fold.finish_reason or self._fold.is_done:
                self._hurry()
        return self._fold.take(self._splitter.end())

    def _check_end(self) -> None:
        if self._fold.finish_reason == "content_filter" and not self._fold.has_text:
            raise Refused("content_filter")
        if not (self._fold.finish_reason or self._fold.is_done):
            raise Malformed("cut off: the stream ended without a finish reason")


def splitter_for(content_type: str, fold: Fold) -> EventSplitter | WholeBody:
    """Return what takes a body of `content_type` apart; raises Malformed for what is no answer, such as an HTML page."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in ("text/event-stream", ""):
        return EventSplitter()
    if kind == "application/json":
        fold.is_one_document = True
        return WholeBody()
    raise Malformed(f"content type {kind} where an event stream belongs")


def body_of(request: ChatRequest, *, reports_usage: bool) -> dict[str, Any]:
    """Return the body, which the SDK sends as it is.

    Its own `chat.completions.create` does not know the servers' own parameters, and walks each message against its types:
    44 ms of the event loop for 200 messages, against 2.
    """
    parameters = {name: value for name, value in request.parameters.items() if name not in OURS}
    system = [{"role": "system", "content": request.system_prompt}] if request.system_prompt else []
    messages = system + [{"role": message.role, "content": message.text} for message in request.messages]
    options = {"stream_options": {"include_usage": True}} if reports_usage else {}
    return parameters | {"model": request.model_id, "messages": messages, "stream": True} | options


def model_ids(body: bytes) -> list[str]:
    """Return the ids in the answer of GET /models, sorted; Together's is a bare list."""
    try:
        document = msgspec.json.decode(body)
        models = document["data"] if isinstance(document, dict) else document
        return sorted({model["id"] for model in models if isinstance(model["id"], str)})
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise Malformed("no list of models") from error

"""One upstream attempt over a connection: the bytes are split and folded here, whatever protocol they are of.

The raw bytes are read because the SDK's typed events cost four times as much per token.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, suppress
from typing import TYPE_CHECKING, Self

from conversations.events import Event

from .base import ChatRequest, UsageReport
from .errors import FirstTokenTimeout, IdleTimeout, Malformed, ProviderError, Unavailable
from .fold import ErrorObject, Fold
from .sse import EventSplitter, WholeBody

if TYPE_CHECKING:
    from .connection import ConnectedAdapter

USAGE_PATIENCE = 5.0  # seconds to wait for usage once the answer is whole
END_PATIENCE = 0.1  # seconds for the response to end after the last event, so that its connection can be used again


class Attempt:
    """One answer. Iterate it once; see base.Stream."""

    def __init__(self, adapter: "ConnectedAdapter", request: ChatRequest) -> None:
        self.request_id = ""
        self._adapter, self._request = adapter, request
        self._fold = adapter.fold()
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
            self._fold.check_end()
        return batch

    def _is_whole_without(self, error: Exception) -> bool:
        """After the finish reason only usage is missing: a silence or a cut takes nothing from the answer."""
        is_finished = bool(self._fold.finish_reason) and not isinstance(error, ErrorObject)
        return self._is_over or self._fold.is_done or is_finished

    def _fault(self, error: Exception) -> ProviderError:
        if self._is_timed_out:
            return IdleTimeout() if self._has_answered else FirstTokenTimeout()
        if response := getattr(error, "response", None):  # of an error by status
            self.request_id = self._adapter.request_id_in(response)
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
        response = (await self._upstream.enter_async_context(await self._adapter.open(self._request))).response
        self.request_id = self._adapter.request_id_in(response)
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


def splitter_for(content_type: str, fold: Fold) -> EventSplitter | WholeBody:
    """Return what takes a body of `content_type` apart; raises Malformed for what is no answer, such as an HTML page."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in ("text/event-stream", ""):
        return EventSplitter()
    if kind == "application/json":
        fold.is_one_document = True
        return WholeBody()
    raise Malformed(f"content type {kind} where an event stream belongs")

"""The built-in demo: quotes the prompt and says that no model is behind it. Deterministic, and never touches the network.

Commands may stand anywhere in the last prompt, set off by white space; each is taken once, the last one counts, but for /tool.

    /help                   this list
    /markdown               Markdown of every kind
    /long N                 N paragraphs
    /code N                 a code block of N lines
    /list N, /table N       a list of N items, a table of N rows
    /think                  reasoning before the answer
    /rate N                 N tokens a second (100)
    /delay S                S seconds of silence before the first token
    /pause S                S seconds of silence in the middle
    /silent                 never answers
    /nousage                reports no usage
    /tool NAME [ARGUMENTS]  calls a tool, if it may; {"arguments":"without a space"}. Several are called at once
    /rounds N               calls them N times, one round after the other (1)
    /fail ERROR [middle]    fails, at once or in the middle: unauthorised, rate_limited, no_credit, model_unknown,
                            context_too_long, refused, unavailable, first_token_timeout, idle_timeout, malformed

N is at most 100000, S at most 3600.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import islice

from conversations.events import Event, EventKind

from . import echo_texts as texts
from .base import GO_ON, ChatMessage, ChatRequest, Endpoint, UsageReport
from .echo_commands import Commands
from .errors import ProviderError, RateLimited

SHORTEST_WAIT = 0.01  # seconds; what falls due in between goes out together
LARGEST_BATCH = 2000  # pieces
RETRY_AFTER = 20.0


class EchoAdapter:
    """Answers out of its own head. There is nothing to connect to, so any endpoint will do."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    def stream(self, request: ChatRequest) -> "EchoStream":
        return EchoStream(request)

    async def list_models(self) -> list[str]:
        return ["echo"]

    async def aclose(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of the answer, or with `seconds` or `error` what happens before it."""

    kind: EventKind = EventKind.TEXT_DELTA
    text: str = ""
    seconds: float = 0
    error: ProviderError | None = None


class EchoStream:
    """One answer. Iterate it once; see base.Stream."""

    def __init__(self, request: ChatRequest) -> None:
        self.usage: UsageReport | None = None
        self.finish_reason = self.request_id = ""
        self._request = request
        self._prompt, self._said_before, self._results = asked(request)
        self._commands = Commands() if self._is_title else Commands.found_in(self._prompt)
        self._said = 0
        self._has_begun = False
        self._closed = asyncio.Event()

    @property
    def _is_title(self) -> bool:
        return self._request.purpose == "title"

    @property
    def _calls_tools(self) -> bool:
        rounds = sum(bool(message.calls) for message in self._results)
        return bool(self._commands.tools and self._request.tools) and self._request.may_call_tools and rounds < self._commands.rounds

    def __aiter__(self) -> AsyncIterator[list[Event]]:
        if self._has_begun:
            raise RuntimeError("A stream is iterated once.")
        self._has_begun = True
        return self._batches()

    async def aclose(self) -> None:
        self._closed.set()

    async def _batches(self) -> AsyncIterator[list[Event]]:
        for passage in self._passages():
            await self._wait(passage.seconds)
            if passage.error and not self._closed.is_set():
                raise passage.error
            async for batch in self._paced(passage):
                yield batch
            if self._closed.is_set():
                return
        if self._calls_tools:
            yield [call.told() for call in self._commands.tools]
        self.finish_reason = "tool_calls" if self._calls_tools else "stop"
        if not self._commands.without_usage:
            self.usage = UsageReport(words_of(self._request), self._said)

    def _passages(self) -> Iterator[Passage]:
        """Yield the answer in the order it is told."""
        if self._is_title:
            yield Passage(text=texts.title_of(self._prompt))
            return
        commands = self._commands
        error = error_of(commands)
        yield Passage(seconds=float("inf") if commands.silent else commands.delay)
        if not commands.fails_in_middle:
            yield Passage(error=error)
        if commands.think and not self._said_before:
            yield Passage(EventKind.REASONING_DELTA, texts.REASONING)
        if self._calls_tools:
            yield Passage(text=texts.asking(call.name for call in commands.tools))
            return
        yield Passage(text=texts.told_by_tools(message.text for message in self._results if message.role == "tool"))
        answer = texts.answer_to(self._prompt, commands, __doc__ or "")
        first, second = halves_of(answer.removeprefix(self._said_before))
        yield Passage(text=first)
        yield Passage(seconds=commands.pause, error=error)
        yield Passage(text=second)

    async def _paced(self, passage: Passage) -> AsyncIterator[list[Event]]:
        """Yield the pieces of a passage as they fall due by the clock, however late the reader comes."""
        pieces, told, now = texts.pieces_of(passage.text), 0, asyncio.get_running_loop().time
        started = now()
        while not self._closed.is_set():
            due = min(int((now() - started) * self._commands.rate) + 1 - told, LARGEST_BATCH)
            batch = list(islice(pieces, max(due, 0)))
            told += len(batch)
            self._said += len(batch)
            if batch:
                yield [Event(passage.kind, "".join(batch))]
            if len(batch) < due:
                return
            await self._wait(max(started + told / self._commands.rate - now(), SHORTEST_WAIT))

    async def _wait(self, seconds: float) -> None:
        """Wait, or until the stream is closed."""
        if seconds <= 0:
            return
        try:
            async with asyncio.timeout(None if seconds == float("inf") else seconds):
                await self._closed.wait()
        except TimeoutError:
            return


def asked(request: ChatRequest) -> tuple[str, str, list[ChatMessage]]:
    """Return the prompt, what has been said in answer to it already, and the calls of tools since, with their results."""
    messages = list(request.messages)
    prompts = [at for at, message in enumerate(messages) if message.role == "user"]
    if not prompts:
        return "", "", []
    since = messages[prompts[-1] + 1 :]
    if len(prompts) > 1 and messages[prompts[-1]].text == GO_ON:
        return messages[prompts[-2]].text, messages[prompts[-1] - 1].text, since
    return messages[prompts[-1]].text, "", since


def error_of(commands: Commands) -> ProviderError | None:
    if commands.fail is None:
        return None
    return commands.fail("the demo was told to", retry_after=RETRY_AFTER if commands.fail is RateLimited else None)


def halves_of(text: str) -> tuple[str, str]:
    """Cut at the first line or word end after the middle."""
    middle = max(text.find(" ", len(text) // 2), len(text) // 2)
    return text[:middle], text[middle:]


def words_of(request: ChatRequest) -> int:
    return sum(len(text.split()) for text in (request.system_prompt, *(message.text for message in request.messages)))

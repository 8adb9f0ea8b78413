"""What every adapter promises (providers.base), run against each of them: those on a wire, and the demo, which has none.

What only bytes can do - what cuts them, what they say that is not true, HTTP - is in `test_contract_on_a_wire.py`. Of that the demo
can say no more than it is told to (`test_echo.py`): it refuses nothing, caches nothing and counts right.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import pytest

from conversations.events import Event, EventKind
from conversations.providers import errors
from conversations.providers.base import Adapter, ChatRequest, Endpoint, Stream
from conversations.providers.echo import EchoAdapter
from conversations.providers.registry import ADAPTERS as REGISTERED

from .wire import SOON, Answer, Line, ask, read, serve, text_of, whole
from .wires import WIRES, Wired


@dataclass(frozen=True)
class Case:
    """An adapter, what to ask it, and a wait until the question has reached the other side."""

    adapter: Adapter
    request: ChatRequest
    asked: Callable[[], Awaitable[object]]


type Stage = Callable[[str], AbstractAsyncContextManager[Case]]

ERROR_STATUSES = {"unauthorised": 401, "rate_limited": 429, "context_too_long": 413, "refused": 400, "unavailable": 503}
PROMPTS = {"whole": "Hello", "silent": "/pause 3600 /rate 10000", "mute": "/silent", "cut": "/fail malformed middle /rate 10000"}
PROMPTS |= {"thinking": "/think /rate 10000", "uncounted": "/nousage", "models": ""}
PROMPTS |= {code: f"/fail {code}" for code in ERROR_STATUSES}


def answers_of(wired: Wired) -> dict[str, Answer]:
    """How a provider of that protocol behaves in each case."""

    async def silent(line: Line) -> None:
        await line.head()
        await line.tell(wired.recorded("cut_off.sse"))
        await line.silence()

    async def mute(line: Line) -> None:
        await line.silence()

    files = {"whole": "text.sse", "cut": "cut_off.sse", "thinking": "reasoning.sse", "uncounted": "no_usage.sse"}
    answers = {case: whole(wired.recorded(name)) for case, name in files.items()} | {"silent": silent, "mute": mute}
    answers["models"] = whole(wired.recorded("models.json"), "application/json")
    statuses = {code: whole(wired.errors[str(status)], "application/json", status) for code, status in ERROR_STATUSES.items()}
    return answers | statuses


def on_a_wire(wired: Wired) -> Stage:
    @asynccontextmanager
    async def stage(case: str) -> AsyncIterator[Case]:
        async with serve(answers_of(wired)[case], wired.protocol) as (wire, adapter):
            yield Case(adapter, ask(), wire.asked.wait)
            if case in ("silent", "mute"):  # whatever the test did, the provider must see that nobody listens any more
                await asyncio.wait_for(wire.hung_up.wait(), SOON)

    return stage


@asynccontextmanager
async def echo(case: str) -> AsyncIterator[Case]:
    yield Case(EchoAdapter(Endpoint("echo", "")), ask(PROMPTS[case]), lambda: asyncio.sleep(0))


ADAPTERS: dict[str, Stage] = {protocol: on_a_wire(wired) for protocol, wired in WIRES.items()} | {"echo": echo}
every_adapter = pytest.mark.parametrize("stage", ADAPTERS.values(), ids=ADAPTERS)


def test_every_registered_adapter_is_under_contract() -> None:
    assert set(ADAPTERS) == set(REGISTERED)


@every_adapter
async def test_deltas_concatenate_to_the_text_and_usage_follows(stage: Stage) -> None:
    async with stage("whole") as case:
        stream = case.adapter.stream(case.request)
        assert (stream.usage, stream.finish_reason) == (None, "")
        events = await read(stream)
    assert "Hello" in text_of(events)
    assert {type(event) for event in events} == {Event}
    assert {event.kind for event in events} <= {EventKind.TEXT_DELTA, EventKind.REASONING_DELTA}
    assert stream.finish_reason in ("stop", "end_turn", "completed")  # as each names it
    assert stream.usage is not None
    assert stream.usage.output_tokens > 0


@every_adapter
async def test_reasoning_is_told_apart_and_before_the_text(stage: Stage) -> None:
    async with stage("thinking") as case:
        events = await read(case.adapter.stream(case.request))
    kinds = [event.kind for event in events]
    assert text_of(events, EventKind.REASONING_DELTA)
    assert text_of(events)
    assert kinds == sorted(kinds)


@every_adapter
async def test_where_nothing_is_counted_nothing_is_said_of_it(stage: Stage) -> None:
    async with stage("uncounted") as case:
        stream = case.adapter.stream(case.request)
        assert text_of(await read(stream))
    assert stream.usage is None
    assert stream.finish_reason


@every_adapter
async def test_the_same_request_may_be_streamed_twice(stage: Stage) -> None:
    async with stage("whole") as case:
        first, second = [text_of(await read(case.adapter.stream(case.request))) for _ in range(2)]
    assert first == second


@every_adapter
async def test_a_second_iteration_is_refused(stage: Stage) -> None:
    async with stage("whole") as case:
        stream = case.adapter.stream(case.request)
        await read(stream)
        with pytest.raises(RuntimeError):
            aiter(stream)


@every_adapter
async def test_a_stream_that_nobody_reads_costs_nothing(stage: Stage) -> None:
    async with stage("whole") as case:
        await case.adapter.stream(case.request).aclose()


@every_adapter
@pytest.mark.parametrize("code", ERROR_STATUSES)
async def test_an_error_is_told_by_its_type(stage: Stage, code: str) -> None:
    async with stage(code) as case:
        stream = case.adapter.stream(case.request)
        with pytest.raises(errors.ProviderError) as raised:
            await read(stream)
    assert raised.value.code == code
    assert stream.usage is None


@every_adapter
async def test_what_came_before_a_cut_is_kept(stage: Stage) -> None:
    events: list[Event] = []
    async with stage("cut") as case:
        with pytest.raises(errors.Malformed):
            await read(case.adapter.stream(case.request), events)
    assert text_of(events)


every_silence = pytest.mark.parametrize("silence", ["mute", "silent"], ids=["before the first token", "in the middle"])


async def reading(stream: Stream, case: Case, silence: str) -> asyncio.Task[None]:
    """Return a task that reads `stream` and is waiting for what never comes."""
    something_came = asyncio.Event()

    async def run() -> None:
        async for _ in stream:
            something_came.set()

    task = asyncio.create_task(run())
    async with asyncio.timeout(SOON):
        await (case.asked() if silence == "mute" else something_came.wait())
    return task


@every_adapter
@every_silence
async def test_cancelling_the_reader_hangs_up_on_a_silent_provider(stage: Stage, silence: str) -> None:
    async with stage(silence) as case:
        task = await reading(case.adapter.stream(case.request), case, silence)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, SOON)


@every_adapter
@every_silence
async def test_closing_from_elsewhere_ends_the_iteration_of_a_silent_provider(stage: Stage, silence: str) -> None:
    async with stage(silence) as case:
        stream = case.adapter.stream(case.request)
        task = await reading(stream, case, silence)
        await stream.aclose()
        await asyncio.wait_for(task, SOON)
    assert stream.finish_reason == ""


@every_adapter
async def test_closing_between_two_batches_hangs_up_and_ends_the_iteration(stage: Stage) -> None:
    async with stage("silent") as case:
        stream = case.adapter.stream(case.request)
        batches = aiter(stream)
        assert await anext(batches)
        await stream.aclose()
        await stream.aclose()  # twice is harmless
        with pytest.raises(StopAsyncIteration):
            await anext(batches)


@every_adapter
async def test_models_are_listed(stage: Stage) -> None:
    async with stage("models") as case:
        models = await case.adapter.list_models()
    assert models
    assert models == sorted(models)

"""The chat completions adapter against recorded byte streams, one for each quirk of a provider."""

import asyncio

import pytest

from conversations.events import Event, EventKind
from conversations.providers import errors
from conversations.providers.base import ChatMessage, UsageReport

from .wire import SOON, Line, ask, read, recorded, serve, text_of, whole

USUAL = UsageReport(11, 3)

# file, text, reasoning, finish reason, usage
QUIRKS: list[tuple[str, str, str, str, UsageReport | None]] = [
    ("openai.sse", "Hello, world", "", "stop", UsageReport(2048, 40, 1920, 37)),
    ("llama_cpp.sse", "I'm glad you're here. I'm here to help", "", "length", UsageReport(36, 12)),
    ("deepseek.sse", "Hello, world", "Let me think.", "stop", UsageReport(20, 9, 16, 5)),
    ("openrouter.sse", "Hello, world", "Let me think.", "stop", USUAL),
    ("mistral_parts.sse", "Hello, world", "Let me think.", "stop", USUAL),
    ("azure_filter_first.sse", "Hello, world", "", "stop", USUAL),
    ("crlf.sse", "Hello, world", "", "stop", USUAL),
    ("cr.sse", "Hello, world", "", "stop", USUAL),
    ("no_done.sse", "Hello, world", "", "stop", None),
    ("no_last_blank_line.sse", "Hello, world", "", "stop", USUAL),
    ("no_space_after_colon.sse", "Hello, world", "", "stop", USUAL),
    ("multi_line_data.sse", "Hello, world", "", "stop", None),
    ("byte_order_mark.sse", "Hello, world", "", "stop", None),
    ("usage_in_every_chunk.sse", "Hello, world", "", "stop", USUAL),
    ("no_usage.sse", "Hello, world", "", "stop", None),
    ("absurd_usage.sse", "Hello, world", "", "stop", None),
    ("refusal.sse", "I cannot help with that.", "", "refusal", USUAL),
    ("tool_calls.sse", "", "", "tool_calls", USUAL),
    ("two_choices.sse", "Hello, world", "", "stop", None),
    ("choice_without_index.sse", "Hello, world", "", "stop", None),
    ("surrogates_apart.sse", "Hello \ufffd\ufffd world\ufffd", "", "stop", None),
    ("bad_utf8.sse", "Hello \ufffd\ufffd world", "", "stop", None),
    ("emoji.sse", "Zürich 日本語 👩‍👩‍👧‍👦 é " * 3, "", "stop", None),
]


@pytest.mark.parametrize("pieces", [1, 7, 100], ids=["in one piece", "in seven", "in a hundred"])
@pytest.mark.parametrize(("name", "text", "reasoning", "finish_reason", "usage"), QUIRKS, ids=[quirk[0] for quirk in QUIRKS])
async def test_a_quirk_is_read_as_an_answer(
    name: str, text: str, reasoning: str, finish_reason: str, usage: UsageReport | None, pieces: int
) -> None:
    async with serve(whole(recorded(name), pieces=pieces)) as (_, adapter):
        stream = adapter.stream(ask())
        events = await read(stream)
    assert text_of(events) == text
    assert text_of(events, EventKind.REASONING_DELTA) == reasoning
    assert (stream.finish_reason, stream.usage, stream.request_id) == (finish_reason, usage, "req-1")


async def test_the_deltas_of_one_read_are_one_event() -> None:
    async with serve(whole(recorded("deepseek.sse"))) as (_, adapter):
        batches = [batch async for batch in adapter.stream(ask())]
    assert batches == [[Event(EventKind.REASONING_DELTA, "Let me think."), Event(EventKind.TEXT_DELTA, "Hello, world")]]


async def test_a_whole_answer_of_a_server_that_does_not_stream_is_taken() -> None:
    async with serve(whole(recorded("llama_cpp_not_streamed.json"), kind="application/json; charset=utf-8", pieces=3)) as (_, adapter):
        stream = adapter.stream(ask())
        assert text_of(await read(stream)) == "Hello! How can I"
    assert (stream.finish_reason, stream.usage) == ("length", UsageReport(31, 5, 24))


BROKEN: list[tuple[str, type[errors.ProviderError], str]] = [
    ("error_in_stream.sse", errors.Faulty, "Hello"),
    ("error_openrouter.sse", errors.RateLimited, "Hello"),
    ("error_llama_cpp_2024.sse", errors.Faulty, "Hello"),
    ("error_as_text.sse", errors.Faulty, ""),
    ("error_vllm.sse", errors.Faulty, "Hello"),
    ("broken_json.sse", errors.Malformed, "Hello"),
    ("wrong_types.sse", errors.Malformed, "Hello"),
    ("cut_off.sse", errors.Malformed, "Hello, world"),
    ("content_filter.sse", errors.Refused, ""),
]


@pytest.mark.parametrize(("name", "error", "text"), BROKEN, ids=[each[0] for each in BROKEN])
async def test_what_came_before_an_error_is_kept(name: str, error: type[errors.ProviderError], text: str) -> None:
    events: list[Event] = []
    async with serve(whole(recorded(name))) as (_, adapter):
        with pytest.raises(error) as raised:
            await read(adapter.stream(ask()), events)
    assert type(raised.value) is error
    assert text_of(events) == text


async def test_a_connection_cut_in_the_middle_is_malformed() -> None:
    first_is_read = asyncio.Event()

    async def answer(line: Line) -> None:
        await line.head()
        await line.tell(recorded("cut_off.sse"))
        await first_is_read.wait()
        await line.cut()

    async with serve(answer) as (_, adapter):
        batches = aiter(adapter.stream(ask()))
        assert text_of(await anext(batches)) == "Hello, world"
        first_is_read.set()
        with pytest.raises(errors.Malformed):
            await anext(batches)


async def test_a_cut_before_any_byte_is_unavailable() -> None:
    async def answer(line: Line) -> None:
        await line.cut()

    async with serve(answer) as (_, adapter):
        with pytest.raises(errors.Unavailable):
            await read(adapter.stream(ask()))


async def test_no_head_in_time_is_a_first_token_timeout() -> None:
    async def answer(line: Line) -> None:
        await line.silence()

    async with serve(answer, first_token_timeout=0.1) as (wire, adapter):
        with pytest.raises(errors.FirstTokenTimeout):
            await read(adapter.stream(ask()))
        await asyncio.wait_for(wire.hung_up.wait(), SOON)


@pytest.mark.parametrize("name", ["no_done.sse", "openai.sse"], ids=["after the finish reason", "after [DONE]"])
async def test_a_server_that_never_ends_a_whole_answer_costs_nothing_of_it(name: str) -> None:
    async def answer(line: Line) -> None:
        await line.head()
        await line.tell(recorded(name))
        await line.silence(every=0.02)

    async with serve(answer, idle_timeout=0.3) as (wire, adapter):
        stream = adapter.stream(ask())
        assert text_of(await read(stream)) == "Hello, world"
        await asyncio.wait_for(wire.hung_up.wait(), SOON)
    assert stream.finish_reason == "stop"


async def test_the_wait_that_is_under_way_ends_soon_after_done() -> None:
    text_is_read = asyncio.Event()

    async def answer(line: Line) -> None:
        await line.head()
        await line.tell(recorded("cut_off.sse"))
        await text_is_read.wait()
        await line.tell(b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
        await line.silence()

    async with serve(answer) as (_, adapter):
        batches = aiter(adapter.stream(ask()))
        assert await anext(batches)
        text_is_read.set()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(anext(batches), SOON)


async def test_an_error_object_is_told_at_once_though_the_server_stays_on_the_line() -> None:
    async def answer(line: Line) -> None:
        await line.head()
        await line.tell(recorded("error_openrouter.sse"))
        await line.silence()

    async with serve(answer) as (_, adapter):
        with pytest.raises(errors.RateLimited):
            await read(adapter.stream(ask()))


async def test_the_request_says_what_it_must() -> None:
    request = ask(
        system_prompt="Be kind.",
        messages=[ChatMessage("user", "Hi"), ChatMessage("assistant", "Hello"), ChatMessage("user", "ä")],
        parameters={"temperature": 0.5, "top_k": 40, "model": "other", "stream": False, "messages": []},
    )
    async with serve(whole(recorded("openai.sse"))) as (wire, adapter):
        await read(adapter.stream(request))
    assert wire.body == {
        "model": "model",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "ä"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "top_k": 40,
    }
    assert "accept-encoding: identity" in wire.head


async def test_usage_is_not_asked_for_where_the_server_refuses_the_question() -> None:
    async with serve(whole(recorded("no_usage.sse")), reports_usage=False) as (wire, adapter):
        await read(adapter.stream(ask()))
    assert "stream_options" not in wire.body


async def test_hundreds_of_streams_run_at_once() -> None:
    everyone_is_here = asyncio.Event()
    waiting = 0

    async def answer(line: Line) -> None:
        nonlocal waiting
        waiting += 1
        if waiting == 300:
            everyone_is_here.set()
        await everyone_is_here.wait()
        await whole(recorded("openai.sse"))(line)

    async with serve(answer) as (wire, adapter):
        answers = await asyncio.gather(*(read(adapter.stream(ask())) for _ in range(300)))
        assert {text_of(events) for events in answers} == {"Hello, world"}
        assert wire.connections == 300


@pytest.mark.parametrize(
    "body",
    [b'{"data":[{"id":"b"},{"id":"a"},{"id":"b"}]}', b'[{"id":"b"},{"id":"a"}]'],
    ids=["as OpenAI says", "a bare list"],
)
async def test_models_are_listed_in_order(body: bytes) -> None:
    async with serve(whole(body, "application/json")) as (wire, adapter):
        assert await adapter.list_models() == ["a", "b"]
    assert wire.head.startswith("get /v1/models ")


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"data":[{}]}', b"null", b"\xff"])
async def test_no_list_of_models_is_malformed(body: bytes) -> None:
    async with serve(whole(body, "application/json")) as (_, adapter):
        with pytest.raises(errors.Malformed):
            await adapter.list_models()

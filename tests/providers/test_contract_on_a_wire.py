"""What every adapter over HTTP promises, against the streams that were recorded of its protocol, whole and maltreated."""

import asyncio
import json

import pytest

from conversations.events import Event, EventKind
from conversations.models.generations import OUTPUT_LIMIT, REFUSALS
from conversations.providers import errors
from conversations.providers.base import ToolCall, UsageReport

from .wire import SOON, Line, ask, read, recorded, serve, text_of, whole
from .wires import WIRES, Wired

every_wire = pytest.mark.parametrize("wired", WIRES.values(), ids=WIRES)
every_cut = pytest.mark.parametrize("pieces", [1, 7, 500], ids=["in one piece", "in seven", "in five hundred"])


@every_wire
@every_cut
@pytest.mark.parametrize(
    ("name", "text", "reasoning", "reasons"),
    [
        ("text.sse", "Hello, world", "", None),
        ("reasoning.sse", "Hello, world", "Let me think.", None),
        ("refusal.sse", "I cannot help with that.", "", REFUSALS),
        ("filtered_midway.sse", "Hello, world", "", REFUSALS),
        ("length.sse", "Hello, world", "", OUTPUT_LIMIT),
        ("bad_utf8.sse", "Hello \ufffd\ufffd world", "", None),
    ],
)
async def test_a_stream_is_read_however_it_is_cut(
    wired: Wired, pieces: int, name: str, text: str, reasoning: str, reasons: set[str] | None
) -> None:
    async with serve(whole(wired.recorded(name), pieces=pieces), wired.protocol) as (wire, adapter):
        stream = adapter.stream(ask())
        events = await read(stream)
    assert (text_of(events), text_of(events, EventKind.REASONING_DELTA)) == (text, reasoning)
    assert (stream.finish_reason in (REFUSALS | OUTPUT_LIMIT)) == (reasons is not None)
    assert reasons is None or stream.finish_reason in reasons
    assert stream.request_id == "req-1"
    assert wire.head.startswith(f"post {wired.path} ")


@every_wire
async def test_a_character_that_is_cut_in_two_is_one_character(wired: Wired) -> None:
    body = wired.recorded("emoji.sse")
    async with serve(whole(body, pieces=len(body)), wired.protocol) as (_, adapter):
        assert "Zürich 日本語 👩‍👩‍👧‍👦 é " in text_of(await read(adapter.stream(ask())))


@every_wire
async def test_an_event_of_a_megabyte_is_read(wired: Wired) -> None:
    body = wired.recorded("text.sse").replace(b"Hello", b"x" * 1_000_000)
    async with serve(whole(body, pieces=20), wired.protocol) as (_, adapter):
        text = text_of(await read(adapter.stream(ask())))
    assert text == "x" * 1_000_000 + ", world"


@every_wire
async def test_an_event_without_end_is_malformed(wired: Wired) -> None:
    async def answer(line: Line) -> None:
        await line.head()
        await line.tell(b"data: ", *[b"x" * 1_000_000] * 9)
        await line.silence()

    async with serve(answer, wired.protocol) as (wire, adapter):
        with pytest.raises(errors.Malformed):
            await read(adapter.stream(ask()))
        await asyncio.wait_for(wire.hung_up.wait(), SOON)


@every_wire
async def test_a_server_that_does_not_stream_is_taken_at_its_word(wired: Wired) -> None:
    async with serve(whole(wired.recorded("not_streamed.json"), "application/json", pieces=3), wired.protocol) as (_, adapter):
        stream = adapter.stream(ask())
        events = await read(stream)
    assert (text_of(events), text_of(events, EventKind.REASONING_DELTA)) == ("Hello, world", "Let me think.")
    assert stream.usage == UsageReport(11, 3)


@every_wire
@pytest.mark.parametrize(
    ("name", "usage"),
    [
        ("usage.sse", UsageReport(2048, 40, cached_tokens=1920, reasoning_tokens=37, cache_write_tokens=100)),
        ("no_usage.sse", None),
        ("absurd_usage.sse", None),
        ("lying_usage.sse", UsageReport(0, 3, reasoning_tokens=3)),
    ],
)
async def test_what_was_counted_is_told_and_never_more_than_can_be(wired: Wired, name: str, usage: UsageReport | None) -> None:
    async with serve(whole(wired.recorded(name)), wired.protocol) as (_, adapter):
        stream = adapter.stream(ask())
        assert text_of(await read(stream)) == "Hello, world"
    assert stream.usage == usage


@every_wire
@every_cut
@pytest.mark.parametrize(
    ("name", "text", "calls"),
    [
        ("tool_call.sse", "", [("weather", '{"city":"Bern"}')]),
        ("two_tool_calls.sse", "Let me see.", [("current_time", '{"time_zone": "Europe/Bern"}'), ("current_time", "{}")]),
    ],
)
async def test_calls_of_tools_are_told_whole_and_behind_the_text(
    wired: Wired, pieces: int, name: str, text: str, calls: list[tuple[str, str]]
) -> None:
    async with serve(whole(wired.recorded(name), pieces=pieces), wired.protocol) as (_, adapter):
        events = await read(adapter.stream(ask()))
    told = [ToolCall.told_in(event) for event in events[-len(calls) :]]
    assert [(call.name, call.arguments) for call in told] == calls
    assert all(call.id for call in told)
    assert len({call.id for call in told}) == len(told)
    assert text_of(events) == text


BROKEN: list[tuple[str, type[errors.ProviderError], str]] = [
    ("content_filter.sse", errors.Refused, ""),
    ("error_in_stream.sse", errors.Faulty, "Hello"),
    ("overloaded_in_stream.sse", errors.Faulty, ""),
    ("rate_limited_in_stream.sse", errors.RateLimited, ""),
    ("broken_json.sse", errors.Malformed, "Hello"),
    ("wrong_types.sse", errors.Malformed, "Hello"),
    ("cut_off.sse", errors.Malformed, "Hello, world"),
]


@every_wire
@pytest.mark.parametrize(("name", "kind", "text"), BROKEN, ids=[each[0] for each in BROKEN])
async def test_what_goes_wrong_has_a_type_and_what_came_before_is_kept(
    wired: Wired, name: str, kind: type[errors.ProviderError], text: str
) -> None:
    events: list[Event] = []
    async with serve(whole(wired.recorded(name)), wired.protocol) as (wire, adapter):
        with pytest.raises(errors.ProviderError) as raised:
            await read(adapter.stream(ask()), events)
        assert len(wire.requests) == 1, "an adapter never retries"
    assert type(raised.value) is kind
    assert text_of(events) == text


KINDS: dict[str, type[errors.ProviderError]] = {
    "400": errors.Refused,
    "400 too long": errors.ContextTooLong,
    "401": errors.Unauthorised,
    "402": errors.NoCredit,
    "403": errors.Unauthorised,
    "404": errors.ModelUnknown,
    "408": errors.Unavailable,
    "413": errors.ContextTooLong,
    "422": errors.Refused,
    "429": errors.RateLimited,
    "429 out of money": errors.NoCredit,
    "500": errors.Faulty,
    "503": errors.Faulty,
    "504": errors.Faulty,
    "529": errors.Faulty,
}


@every_wire
@pytest.mark.parametrize("status", KINDS)
async def test_each_status_has_a_type(wired: Wired, status: str) -> None:
    answer = whole(wired.errors[status], "application/json", int(status[:3]), "Retry-After: 7\r\n")
    async with serve(answer, wired.protocol, api_key="sk-secret-1") as (_, adapter):
        stream = adapter.stream(ask())
        with pytest.raises(errors.ProviderError) as raised:
            await read(stream)
    assert type(raised.value) is KINDS[status]
    assert raised.value.retry_after == 7
    assert json.loads(wired.errors[status])["error"]["message"] in raised.value.detail
    assert (stream.request_id, stream.usage) == ("req-1", None)


@every_wire
@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/json", "text/event-stream"])
async def test_a_page_with_status_200_is_no_answer(wired: Wired, kind: str) -> None:
    async with serve(whole(recorded("sign_in.html"), kind), wired.protocol) as (_, adapter):
        with pytest.raises(errors.Malformed):
            await read(adapter.stream(ask()))


@every_wire
@pytest.mark.parametrize("body", [b"{}", b"[]", b"null", b"7", b'""'])
async def test_a_document_that_says_nothing_is_no_answer(wired: Wired, body: bytes) -> None:
    async with serve(whole(body, "application/json"), wired.protocol) as (_, adapter):
        with pytest.raises(errors.Malformed):
            await read(adapter.stream(ask()))


@every_wire
async def test_an_error_with_status_200_is_an_error(wired: Wired) -> None:
    async with serve(whole(wired.recorded("error_in_place.json"), "application/json"), wired.protocol) as (_, adapter):
        with pytest.raises(errors.ContextTooLong):
            await read(adapter.stream(ask()))


@every_wire
async def test_pings_are_no_first_token(wired: Wired) -> None:
    async def answer(line: Line) -> None:
        await line.head()
        await line.silence(every=0.02, ping=wired.ping)

    async with serve(answer, wired.protocol, first_token_timeout=0.2) as (wire, adapter):
        with pytest.raises(errors.FirstTokenTimeout):
            await read(adapter.stream(ask()))
        await asyncio.wait_for(wire.hung_up.wait(), SOON)


@every_wire
async def test_pings_do_not_hide_that_the_answer_stands_still(wired: Wired) -> None:
    async def answer(line: Line) -> None:
        await line.head()
        await line.tell(wired.recorded("cut_off.sse"))
        await line.silence(every=0.02, ping=wired.ping)

    events: list[Event] = []
    async with serve(answer, wired.protocol, idle_timeout=0.2) as (wire, adapter):
        with pytest.raises(errors.IdleTimeout):
            await read(adapter.stream(ask()), events)
        await asyncio.wait_for(wire.hung_up.wait(), SOON)
    assert text_of(events) == "Hello, world"


@every_wire
async def test_a_server_that_never_ends_a_whole_answer_costs_nothing_of_it(wired: Wired) -> None:
    async def answer(line: Line) -> None:
        await line.head()
        await line.tell(wired.recorded("text.sse"))
        await line.silence(every=0.02, ping=wired.ping)

    async with serve(answer, wired.protocol, idle_timeout=0.3) as (wire, adapter):
        assert text_of(await read(adapter.stream(ask()))) == "Hello, world"
        await asyncio.wait_for(wire.hung_up.wait(), SOON)


@every_wire
async def test_a_connection_is_used_again_after_an_answer(wired: Wired) -> None:
    async with serve(whole(wired.recorded("text.sse")), wired.protocol) as (wire, adapter):
        for _ in range(3):
            await read(adapter.stream(ask()))
        assert (len(wire.requests), wire.connections) == (3, 1)

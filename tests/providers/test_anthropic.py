"""What is Anthropic's alone: blocks of several kinds, counts that come in parts, caches, and models that think in two ways."""

from typing import Any

import pytest

from conversations.events import EventKind
from conversations.providers import errors
from conversations.providers.base import ChatMessage, ToolCall, ToolSpec, UsageReport

from .wire import ask, read, recorded, serve, text_of, whole

PROTOCOL = "anthropic"
NEW, OLD = "claude-opus-5-5", "claude-haiku-4-5-20251001"
MARK = {"type": "ephemeral"}


async def body_for(**fields: Any) -> dict[str, Any]:
    """Return the body that a request goes out as."""
    async with serve(whole(recorded("text.sse", PROTOCOL)), PROTOCOL) as (wire, adapter):
        await read(adapter.stream(ask(**fields)))
    return wire.body


@pytest.mark.parametrize(
    ("name", "text", "finish_reason"),
    [
        ("redacted.sse", "Hello, world", "end_turn"),
        ("tool_call.sse", "", "tool_use"),
        ("window_full.sse", "Hello, world", "model_context_window_exceeded"),
        ("llama_cpp.sse", "Hello! How can I assist you today?", "end_turn"),
    ],
)
async def test_blocks_that_nobody_can_read_are_passed_over(name: str, text: str, finish_reason: str) -> None:
    async with serve(whole(recorded(name, PROTOCOL), pieces=7), PROTOCOL) as (_, adapter):
        stream = adapter.stream(ask())
        events = await read(stream)
    assert (text_of(events), text_of(events, EventKind.REASONING_DELTA), stream.finish_reason) == (text, "", finish_reason)


async def test_counts_of_the_beginning_stand_where_the_end_does_not_repeat_them() -> None:
    async with serve(whole(recorded("usage_in_parts.sse", PROTOCOL)), PROTOCOL) as (_, adapter):
        stream = adapter.stream(ask())
        await read(stream)
    assert stream.usage == UsageReport(2048, 40, cached_tokens=1920, cache_write_tokens=100)


async def test_an_answer_that_was_cut_off_is_estimated_for_its_beginning_counts_one_token() -> None:
    async with serve(whole(recorded("cut_off.sse", PROTOCOL)), PROTOCOL) as (_, adapter):
        stream = adapter.stream(ask())
        with pytest.raises(errors.Malformed):
            await read(stream)
    assert stream.usage is None


async def test_why_it_was_refused_is_kept_for_staff() -> None:
    async with serve(whole(recorded("content_filter.sse", PROTOCOL)), PROTOCOL) as (_, adapter):
        with pytest.raises(errors.Refused) as raised:
            await read(adapter.stream(ask()))
    assert raised.value.detail == "cyber: This request was refused due to policy."


async def test_what_is_the_same_in_the_next_turn_is_marked_to_be_cached() -> None:
    messages = [ChatMessage("user", "Hi"), ChatMessage("assistant", "Hello"), ChatMessage("user", "ä")]
    body = await body_for(model_id=NEW, system_prompt="Be kind.", messages=messages, parameters={"stop_sequences": ["x"]})
    assert body == {
        "model": NEW,
        "max_tokens": 32_000,
        "stream": True,
        "system": [{"type": "text", "text": "Be kind.", "cache_control": MARK}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]},
            {"role": "user", "content": [{"type": "text", "text": "ä", "cache_control": MARK}]},
        ],
        "stop_sequences": ["x"],
    }


async def test_a_title_is_asked_for_once_and_caches_nothing() -> None:
    body = await body_for(purpose="title", parameters={"max_tokens": 60})
    assert "cache_control" not in str(body)
    assert body["max_tokens"] == 60


async def test_texts_in_which_nothing_can_be_seen_would_be_refused_and_stay_here() -> None:
    messages = [ChatMessage("user", "Hi"), ChatMessage("assistant", " \n"), ChatMessage("user", "Well?")]
    body = await body_for(system_prompt=" ", messages=messages)
    assert "system" not in body
    assert [message["content"][0]["text"] for message in body["messages"]] == ["Hi", "Well?"]


async def test_temperature_is_left_out_where_it_would_be_refused() -> None:
    body = await body_for(parameters={"temperature": 0.5, "top_p": 0.9, "top_k": 40, "max_completion_tokens": 500})
    assert not body.keys() & {"temperature", "top_p", "top_k", "max_completion_tokens"}
    assert body["max_tokens"] == 500


ADAPTIVE = {"type": "adaptive", "display": "summarized"}


@pytest.mark.parametrize(
    ("model_id", "parameters", "thinking", "effort"),
    [
        (NEW, {}, ADAPTIVE, None),
        (NEW, {"reasoning_effort": "high"}, ADAPTIVE, "high"),
        (NEW, {"reasoning_effort": "minimal"}, ADAPTIVE, "low"),
        ("anthropic.claude-sonnet-4-6", {"reasoning_effort": "medium"}, ADAPTIVE, "medium"),
        ("claude-fable-5", {"thinking": {"type": "disabled"}}, {"type": "disabled"}, None),
        (OLD, {}, None, None),
        (OLD, {"reasoning_effort": "low"}, {"type": "enabled", "budget_tokens": 4096}, None),
        (OLD, {"reasoning_effort": "high", "max_tokens": 9000}, {"type": "enabled", "budget_tokens": 4500}, None),
        (OLD, {"reasoning_effort": "high", "max_tokens": 2000}, None, None),
        ("claude-opus-4-20250514", {"reasoning_effort": "minimal"}, {"type": "enabled", "budget_tokens": 1024}, None),
        ("claude-3-7-sonnet-20250219", {"reasoning_effort": "medium"}, {"type": "enabled", "budget_tokens": 12_288}, None),
        ("glm-5", {"reasoning_effort": "high"}, {"type": "enabled", "budget_tokens": 16_000}, None),
    ],
)
async def test_a_model_that_can_think_is_told_to_in_its_own_way(
    model_id: str, parameters: dict[str, Any], thinking: object, effort: str | None
) -> None:
    body = await body_for(model_id=model_id, parameters=parameters, reasons=True)
    assert body.get("thinking") == thinking
    assert body.get("output_config") == ({"effort": effort} if effort else None)


@pytest.mark.parametrize("model_id", [NEW, OLD])
async def test_a_model_that_is_not_known_to_think_is_told_nothing_of_it(model_id: str) -> None:
    body = await body_for(model_id=model_id, parameters={"reasoning_effort": "high"})
    assert not body.keys() & {"thinking", "output_config", "reasoning_effort"}


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/", "/anthropic", "/anthropic/v1"])
async def test_an_address_is_taken_with_and_without_its_version(end: str) -> None:
    async with serve(whole(recorded("text.sse", PROTOCOL)), PROTOCOL) as (wire, adapter):
        base_url = adapter.endpoint.base_url.removesuffix("/v1") + end
        async with serve(whole(b""), PROTOCOL, base_url=base_url) as (_, other):
            await read(other.stream(ask()))
    path = "/anthropic/v1/messages" if "anthropic" in end else "/v1/messages"
    assert wire.head.startswith(f"post {path} http")
    assert "anthropic-version: 2026-10-21\r\n" in wire.head


async def test_all_models_are_asked_for_at_once() -> None:
    async with serve(whole(recorded("models.json", PROTOCOL), "application/json"), PROTOCOL) as (wire, adapter):
        assert await adapter.list_models() == ["claude-haiku-4-5", "claude-sonnet-5-5"]
    assert wire.head.startswith("get /v1/models?limit=1000 ")


CLOCK = ToolSpec("current_time", "Tells the time.", {"type": "object"})
CALLS = (ToolCall("functions.time:0", "current_time", "{}"), ToolCall("call_2", "current_time", '{"time_zone":"UTC"}'))
ROUND = [
    ChatMessage("user", "When?"),
    ChatMessage("assistant", "", CALLS),
    ChatMessage("tool", "Now", call_id="functions.time:0"),
    ChatMessage("tool", "Then", call_id="call_2"),
]


async def test_the_results_of_a_round_go_back_in_one_message_under_ids_that_are_taken() -> None:
    body = await body_for(messages=ROUND, tools=[CLOCK], parameters={"tools": [], "tool_choice": {"type": "any"}})
    assert body["tools"] == [{"name": "current_time", "description": "Tells the time.", "input_schema": {"type": "object"}}]
    assert "tool_choice" not in body
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "functions_time_0", "name": "current_time", "input": {}},
                {"type": "tool_use", "id": "call_2", "name": "current_time", "input": {"time_zone": "UTC"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "functions_time_0", "content": "Now"},
                {"type": "tool_result", "tool_use_id": "call_2", "content": "Then", "cache_control": MARK},
            ],
        },
    ]


async def test_tools_that_may_not_be_called_stand_there_all_the_same() -> None:
    body = await body_for(messages=ROUND, tools=[CLOCK], may_call_tools=False)
    assert (len(body["tools"]), body["tool_choice"]) == (1, {"type": "none"})


@pytest.mark.parametrize(("model_id", "thinks"), [(NEW, True), (OLD, False)])
async def test_behind_a_result_only_a_model_thinks_that_need_not_be_told_its_thoughts_again(model_id: str, thinks: bool) -> None:
    body = await body_for(model_id=model_id, messages=ROUND, tools=[CLOCK], parameters={"reasoning_effort": "high"}, reasons=True)
    assert ("thinking" in body) == thinks

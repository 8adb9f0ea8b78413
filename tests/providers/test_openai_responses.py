"""What is the Responses protocol's alone: summaries of reasoning, errors in the last event, and words of its own for a request."""

from typing import Any

import pytest

from conversations.events import EventKind
from conversations.providers import errors
from conversations.providers.base import ChatMessage, ToolCall, ToolSpec

from .wire import ask, read, recorded, serve, text_of, whole

PROTOCOL = "openai_responses"


async def body_for(**fields: Any) -> dict[str, Any]:
    """Return the body that a request goes out as."""
    async with serve(whole(recorded("text.sse", PROTOCOL)), PROTOCOL) as (wire, adapter):
        await read(adapter.stream(ask(**fields)))
    return wire.body


@pytest.mark.parametrize(
    ("name", "text", "reasoning"),
    [
        ("three_summaries.sse", "Hello, world", "First.\n\nSecond.\n\nThird."),
        ("reasoning_of_an_open_model.sse", "Hello, world", "Let me think."),
        ("tool_call.sse", "", ""),
        ("llama_cpp.sse", "Hello! I'm just a small-town baker. What can I help with", ""),
    ],
)
async def test_what_a_model_thought_is_told_in_paragraphs(name: str, text: str, reasoning: str) -> None:
    async with serve(whole(recorded(name, PROTOCOL), pieces=7), PROTOCOL) as (_, adapter):
        stream = adapter.stream(ask())
        events = await read(stream)
    assert (text_of(events), text_of(events, EventKind.REASONING_DELTA)) == (text, reasoning)
    assert stream.finish_reason == "completed"


async def test_a_prompt_that_is_refused_is_told_as_such() -> None:
    async with serve(whole(recorded("refused_in_stream.sse", PROTOCOL)), PROTOCOL) as (_, adapter):
        with pytest.raises(errors.Refused):
            await read(adapter.stream(ask()))


async def test_the_request_says_what_it_must_and_has_nothing_kept() -> None:
    messages = [ChatMessage("user", "Hi"), ChatMessage("assistant", "Hello"), ChatMessage("user", "ä")]
    parameters = {"temperature": 0.5, "max_tokens": 500, "service_tier": "flex", "store": True}
    body = await body_for(system_prompt="Be kind.", messages=messages, parameters=parameters)
    assert body == {
        "model": "model",
        "instructions": "Be kind.",
        "input": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "ä"}],
        "stream": True,
        "store": False,
        "max_output_tokens": 500,
        "temperature": 0.5,
        "service_tier": "flex",
    }


@pytest.mark.parametrize("parameters", [{"max_tokens": 5}, {"max_completion_tokens": 5}, {"max_output_tokens": 5}])
async def test_a_limit_has_one_name_and_is_no_smaller_than_is_taken(parameters: dict[str, Any]) -> None:
    body = await body_for(parameters=parameters)
    assert {name: value for name, value in body.items() if "max" in name} == {"max_output_tokens": 16}


@pytest.mark.parametrize(
    ("parameters", "reasoning"),
    [
        ({"temperature": 0.5, "top_p": 0.9}, {"summary": "auto"}),
        ({"reasoning_effort": "high"}, {"summary": "auto", "effort": "high"}),
        ({"reasoning_effort": "high", "reasoning": {"effort": "max"}}, {"effort": "max"}),
    ],
)
async def test_a_model_that_reasons_is_asked_for_summaries_and_has_no_temperature(parameters: dict[str, Any], reasoning: object) -> None:
    body = await body_for(parameters=parameters, reasons=True)
    assert body["reasoning"] == reasoning
    assert not body.keys() & {"temperature", "top_p", "reasoning_effort"}


async def test_calls_and_results_are_items_beside_the_messages() -> None:
    calls = (ToolCall("call_1", "current_time", "{}"),)
    messages = [ChatMessage("user", "When?"), ChatMessage("assistant", "Let me see.", calls), ChatMessage("tool", "Now", call_id="call_1")]
    tools = [ToolSpec("current_time", "Tells the time.", {"type": "object"})]
    body = await body_for(messages=messages, tools=tools, may_call_tools=False, parameters={"tool_choice": "required"})
    assert body["input"][1:] == [
        {"role": "assistant", "content": "Let me see."},
        {"type": "function_call", "call_id": "call_1", "name": "current_time", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "Now"},
    ]
    assert body["tools"] == [
        {"type": "function", "name": "current_time", "description": "Tells the time.", "parameters": {"type": "object"}, "strict": False}
    ]
    assert body["tool_choice"] == "none"


async def test_a_title_takes_little_thought() -> None:
    body = await body_for(purpose="title", reasons=True)
    assert body["reasoning"] == {"summary": "auto", "effort": "low"}

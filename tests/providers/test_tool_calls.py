"""Tool calls as servers send them, each in its own way, and as they are sent back."""

import json
from typing import Any

import pytest

from conversations.events import EventKind
from conversations.providers.base import ChatMessage, ChatRequest, Endpoint, ToolCall, ToolSpec
from conversations.providers.chunks import ChunkFold
from conversations.providers.openai_chat import OpenAIChatAdapter
from conversations.providers.tool_calls import MOST_CALLS, MOST_CHARACTERS

body_of = OpenAIChatAdapter(Endpoint("openai_chat", "https://example.org/v1")).body_of
WHOLE = '{"expression":"6*7"}'


def chunk(*pieces: Any, finish: str | None = None, **delta: Any) -> bytes:
    return json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": list(pieces)} | delta, "finish_reason": finish}]}).encode()


def piece(index: Any = None, identity: Any = None, name: Any = None, arguments: Any = None) -> dict[str, Any]:
    found = {"index": index, "id": identity, "function": {"name": name, "arguments": arguments}}
    return {key: value for key, value in found.items() if value is not None}


def called(*chunks: bytes) -> list[tuple[str, str, str]]:
    fold = ChunkFold()
    events = [event for each in chunks for event in fold.take([each])] + fold.take([b"[DONE]"])
    fold.raise_failure()
    calls = [ToolCall.told_in(event) for event in events if event.kind == EventKind.TOOL_START]
    return [(call.id, call.name, call.arguments) for call in calls]


def test_arguments_in_twenty_pieces() -> None:
    first, *rest = [WHOLE[at : at + 1] for at in range(len(WHOLE))]
    chunks = [chunk(piece(0, "call_1", "calculator", first)), *(chunk(piece(0, arguments=each)) for each in rest)]
    assert called(*chunks, chunk(finish="tool_calls")) == [("call_1", "calculator", WHOLE)]


def test_parallel_calls_in_turns() -> None:
    chunks = [
        chunk(piece(0, "a", "one", ""), piece(1, "b", "two", "{")),
        chunk(piece(1, arguments="}"), piece(0, arguments="{}")),
    ]
    assert called(*chunks) == [("a", "one", "{}"), ("b", "two", "{}")]


def test_no_id_at_all() -> None:
    assert called(chunk(piece(0, None, "one", "{}")), chunk(piece(1, None, "two", "{}"))) == [("", "one", "{}"), ("", "two", "{}")]


def test_no_index_each_call_whole() -> None:
    assert called(chunk(piece(None, "a", "one", "{}"), piece(None, "b", "two", "{}"))) == [("a", "one", "{}"), ("b", "two", "{}")]


def test_no_index_in_pieces_with_the_id_and_without() -> None:
    assert called(chunk(piece(None, "a", "one", "{")), chunk(piece(None, "a", None, "}"))) == [("a", "one", "{}")]
    assert called(chunk(piece(None, "a", "one", "{")), chunk(piece(None, None, None, "}"))) == [("a", "one", "{}")]


def test_one_index_for_several_calls() -> None:
    assert called(chunk(piece(0, "a", "one", "{}"), piece(0, "b", "two", "{}"))) == [("a", "one", "{}"), ("b", "two", "{}")]


def test_two_calls_of_one_id() -> None:
    assert called(chunk(piece(0, "a", "one", "{}"), piece(1, "a", "two", "{}"))) == [("a", "one", "{}"), ("a", "two", "{}")]


def test_arguments_as_an_object_and_arguments_that_are_no_json() -> None:
    assert called(chunk(piece(0, "a", "one", {"x": "é"}))) == [("a", "one", '{"x": "é"}')]
    assert called(chunk(piece(0, "a", "one", "not json"))) == [("a", "one", "not json")]


@pytest.mark.parametrize("odd", [None, 7, "text", [], {}, {"function": 7}, {"function": {"name": 7}}, {"index": "x", "function": []}])
def test_what_is_no_call_is_none(odd: Any) -> None:
    assert called(chunk(odd)) == []


def test_text_comes_before_the_calls() -> None:
    fold = ChunkFold()
    events = fold.take([chunk(piece(0, "a", "one", "{}"), content="Let me see.", finish="tool_calls")])
    assert [event.kind for event in events] == ["text_delta", "tool_start"]


def test_a_stream_that_is_cut_off_calls_nothing() -> None:
    fold = ChunkFold()
    assert fold.take([chunk(piece(0, "a", "one", "{"))]) == []


@pytest.mark.parametrize(
    "pieces", [[piece(n, f"c{n}", "one", "{}") for n in range(MOST_CALLS + 1)], [piece(0, "a", "one", "x" * (MOST_CHARACTERS + 1))]]
)
def test_more_than_anybody_asks_for_in_earnest_is_no_answer(pieces: list[Any]) -> None:
    with pytest.raises(ValueError, match="more than"):
        called(chunk(*pieces))


def test_calls_and_results_go_back_as_the_protocol_wants() -> None:
    call = ToolCall("call_1", "calculator", WHOLE)
    messages = [ChatMessage("user", "6*7?"), ChatMessage("assistant", "", (call,)), ChatMessage("tool", "42", call_id="call_1")]
    tools = [ToolSpec("calculator", "Calculates.", {"type": "object"})]
    body = body_of(ChatRequest("m", messages, tools=tools))
    function = {"name": "calculator", "arguments": WHOLE}
    assert body["messages"][1:] == [
        {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "42"},
    ]
    assert body["tools"] == [
        {"type": "function", "function": {"name": "calculator", "description": "Calculates.", "parameters": {"type": "object"}}}
    ]
    assert "tool_choice" not in body
    assert body_of(ChatRequest("m", messages, tools=tools, may_call_tools=False))["tool_choice"] == "none"
    assert "tools" not in body_of(ChatRequest("m", messages))

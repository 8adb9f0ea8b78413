"""Tools as such: what a model is told of them, what they take, and that whatever they do a bounded result comes out."""

import asyncio
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import override_settings

from conversations.tool_events import DONE, FAILED
from conversations.tools.base import Caller, Tool, ToolError
from conversations.tools.clock import current_time
from conversations.tools.registry import allowed_to, check_tools, tools
from conversations.tools.running import BROKEN, MOST_CHARACTERS, result_of
from conversations.tools.search import search_conversations
from tests.factories import make_conversation, make_model, make_path, make_user

from .samples import SAMPLES, these_tools

CALLER = Caller(7, 3)


def tool(name: str, **options: Any) -> Tool:
    return Tool(name, SAMPLES[name], **options)


def test_schema_and_description_come_from_the_function() -> None:
    found = tool("repeats")
    assert found.description == "Repeats words."
    assert found.schema == {
        "type": "object",
        "properties": {"words": {"type": "string"}, "times": {"type": "integer", "default": 1}},
        "required": ["words"],
        "additionalProperties": False,
    }
    schema = tools()["search_conversations"].schema
    assert schema["required"] == ["words"]
    assert schema["properties"]["most"]["maximum"] == 20
    assert "caller" not in schema["properties"]


@pytest.mark.parametrize(
    "arguments",
    [
        "{",
        "[]",
        "null",
        '{"words":1}',
        "{}",
        '{"words":"a","more":1}',
        '{"words":"a","times":"b"}',
        "[" * 5000,
        '{"words":"\ud800"}',
        "nonsense",
    ],
)
def test_what_the_schema_does_not_allow_is_refused_in_words(arguments: str) -> None:
    with pytest.raises(ToolError):
        tool("repeats").read(arguments)


def test_no_arguments_at_all_are_an_empty_object() -> None:
    assert tool("breaks").read(" ") == {}


def result(name: str, arguments: str = "{}", **options: Any) -> tuple[str, str]:
    found = asyncio.run(result_of(1, tool(name, **options), arguments, CALLER))
    assert found.seconds >= 0
    return found.status, found.text


def test_what_is_not_text_is_told_as_json() -> None:
    assert result("repeats", '{"words":"é","times":2}') == (DONE, '["é","é"]')


def test_a_tool_that_asks_for_its_caller_gets_it() -> None:
    assert result("who") == (DONE, "7 3")


def test_a_tool_that_hangs_is_given_up() -> None:
    assert result("hangs", timeout=0.05) == (FAILED, "The tool gave no result within 0.05 seconds.")


def test_a_tool_that_blocks_its_thread_is_given_up() -> None:
    with these_tools():
        assert result("blocks", timeout=0.05) == (FAILED, "The tool gave no result within 0.05 seconds.")


def test_the_model_is_told_what_a_tool_says_and_nothing_of_a_bug() -> None:
    assert result("refuses") == (FAILED, "There is no such city.")
    assert result("breaks") == (FAILED, BROKEN)


def test_fifty_megabytes_are_cut_and_it_is_said() -> None:
    status, text = result("floods")
    assert status == DONE
    assert len(text) < MOST_CHARACTERS + 100
    assert text.endswith("50,000,000 characters.")


def test_a_name_that_is_none_is_an_error_for_the_model() -> None:
    found = asyncio.run(result_of(1, None, "{}", CALLER))
    assert found.status == FAILED


@pytest.mark.parametrize("zone", ["Europe/Berlin", "", "UTC"])
def test_the_time_is_told(zone: str) -> None:
    assert "202" in current_time(zone)


@pytest.mark.parametrize("zone", ["Nowhere/Else", "../../etc/passwd", "/etc/localtime", "\0", "Europe"])
def test_a_time_zone_that_is_none_is_refused_in_words(zone: str) -> None:
    with pytest.raises(ToolError):
        current_time(zone)


@pytest.mark.django_db
@pytest.mark.postgresql
def test_the_search_finds_only_what_is_the_persons_own(alice: User, bob: User) -> None:
    theirs, mine, here = make_conversation(bob), make_conversation(alice, title="Beaches"), make_conversation(alice)
    for conversation in (theirs, mine, here):
        make_path(conversation, 2)
    found = search_conversations(Caller(alice.pk, here.pk), "user text")
    assert found.count("in “") == 1
    assert "in “Beaches”:\nuser text 0" in found
    assert search_conversations(Caller(alice.pk, here.pk), "absent") == "Nothing was found."
    with pytest.raises(ToolError):
        search_conversations(Caller(alice.pk, here.pk), "!")


@pytest.mark.django_db
def test_a_model_may_call_what_staff_allow_it_and_the_person_may_use() -> None:
    person, staff = make_user(), make_user(permissions=("view_usage",))
    with these_tools(who={"PERMISSION": "conversations.view_usage"}):
        model = make_model(supports_tools=True, tools=["calculator", "who", "gone"])
        assert [tool.name for tool in allowed_to(person.pk, model)] == ["calculator"]
        assert [tool.name for tool in allowed_to(staff.pk, model)] == ["calculator", "who"]
        model.supports_tools = False
        assert allowed_to(staff.pk, model) == []


@pytest.mark.parametrize("path", ["nowhere.at_all", "json.dumps", ""])
def test_a_tool_that_is_none_is_said_at_the_start(path: str) -> None:
    tools.cache_clear()
    try:
        with override_settings(TOOLS={"odd": {"TOOL": path}}):
            assert "conversations.E001" in [error.id for error in check_tools()]
    finally:
        tools.cache_clear()


def test_the_schema_of_each_tool_is_json() -> None:
    for each in tools().values():
        assert json.loads(json.dumps(each.schema))["type"] == "object"
        assert each.description

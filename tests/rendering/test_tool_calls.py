"""A call of a tool as a page shows it: whatever a model writes as its arguments, a page can carry it."""

import pytest

from conversations.rendering.tool_calls import Call
from conversations.tool_events import ToolStart


def call(arguments: str) -> Call:
    return Call(7, 1, ToolStart(1, 1, "a", "search_conversations", arguments))


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (r'{"words":"half \ud83d"}', "words: half \ufffd"),
        (r'{"\udc00":["\ud83d"]}', '\ufffd: ["\ufffd"]'),
        (r'{"words":"a\u0000b"}', "words: a\ufffdb"),
        (r'{"words":"\ud83d\ude00"}', "words: 😀"),
        (r'["\ud83d"]', r'["\ud83d"]'),
        ("[1", "[1"),
    ],
)
def test_escapes_of_what_is_no_character_are_replaced(arguments: str, shown: str) -> None:
    assert call(arguments).arguments == shown
    for _, html in call(arguments).parts():
        html.encode()


@pytest.mark.parametrize("depth", [500, 5_000, 50_000])
def test_nesting_is_shown_as_it_is(depth: int) -> None:
    assert "[[[[" in call('{"a":' + "[" * depth + "]" * depth + "}").arguments

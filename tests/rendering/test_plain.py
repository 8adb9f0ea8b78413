"""Markdown as text: nothing of what it says is lost, and nothing of how it is marked is left."""

import pytest
from hypothesis import given

from conversations.rendering.plain import plain_text

from .strategies import MANY, TEXTS


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("# A *head*\n\nSome **bold** `code`.\nNext line.", "A head\n\nSome bold code.\nNext line."),
        ("- a\n- [x] b\n  1. one\n  2. two", "- a\n- [x] b\n  1. one\n  2. two"),
        ("1. a\n\n   more\n2. b", "1. a\n   more\n2. b"),
        ("3. c\n4. d", "3. c\n4. d"),
        ("| a | *b* |\n|---|---|\n| 1 | 2 |", "a\tb\n1\t2"),
        ("```python\nx = 1\n\n  y\n```", "x = 1\n\n  y"),
        ("> quoted\n>\n> twice", "> quoted\n>\n> twice"),
        (
            "[words](http://a.example) and <http://b.example>",
            "words (http://a.example) and http://b.example",
        ),
        ("See [ref].\n\n[ref]: http://r.example", "See ref (http://r.example)."),
        ("![a *b*](http://i.example/i.png)", "a b (http://i.example/i.png)"),
        ("$x^2$ and \\(y\\)\n\n$$\nz\n$$", "x^2 and \\(y\\)\n\nz"),
        ("Note[^1].\n\n[^1]: *Small*.", "Note[^1].\n\n[^1] Small."),
        ("a\n\n---\n\nb", "a\n\n———\n\nb"),
        ("<b>raw</b> &amp; \\*escaped\\*", "<b>raw</b> & *escaped*"),
        ("", ""),
    ],
)
def test_markdown_is_told_as(markdown: str, text: str) -> None:
    assert plain_text(markdown) == text


@MANY
@given(TEXTS)
def test_any_text_can_be_told(text: str) -> None:
    assert isinstance(plain_text(text), str)


@pytest.mark.parametrize("unit", ["> ", "- ", "1) ", "- a\n", "[", "*", "`", "| a ", "$", "\\(", "&amp;"])
def test_hostile_text_is_only_text(unit: str) -> None:
    plain_text(unit * 20_000)

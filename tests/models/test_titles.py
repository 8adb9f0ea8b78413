"""What a model writes as a title becomes one short line of plain text, whatever it wrote."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.models.titles import MOST_CHARACTERS, title_in


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Why the Sky Is Blue", "Why the Sky Is Blue"),
        ('"Why the Sky Is Blue."', "Why the Sky Is Blue"),
        ("“Bread and «butter»”", "Bread and «butter»"),
        ("\n\n**Title: Bread & butter**\nHere is why: …", "Bread & butter"),
        ("# Rename a `git` branch", "Rename a git branch"),
        ("Title:\n\nBread", "Bread"),
        ("<think>A title is wanted.\nHm.</think>\n\nSea and sand", "Sea and sand"),
        ("<think>it never ends", ""),
        ("<b>Sea</b> <script>alert(1)</script>", "Sea alert(1)"),
        ("[Sea](javascript:alert(1)) and sand", "Sea and sand"),
        ("'Tis C# or a < b", "'Tis C# or a < b"),
        ("「空はなぜ青い」。", "「空はなぜ青い」"),
        ("空はなぜ青いのか", "空はなぜ青いのか"),
        ("لماذا السماء زرقاء", "لماذا السماء زرقاء"),
        ("Pirates 👩‍👩‍👧 ahead...", "Pirates 👩‍👩‍👧 ahead..."),
        ("one two three four five six seven eight nine ten", "one two three four five six seven eight…"),
        ("x" * 500, "x" * MOST_CHARACTERS + "…"),
        ("evil\u202egnp.exe\u200b\0\x1b[31m", "evilgnp.exe[31m"),
        ("a\tb\u2028c", "a b"),
        ("", ""),
        ("\u200b\n \u2066\n", ""),
        ("***", ""),
    ],
    ids=ascii,
)
def test_a_title_is_one_line_of_plain_text(written: str, title: str) -> None:
    assert title_in(written) == title


@given(st.text())
def test_whatever_a_model_writes_a_title_is_short_and_hides_nothing(written: str) -> None:
    title = title_in(written)
    assert len(title) <= MOST_CHARACTERS + 1
    assert title == title.strip()
    assert not any(unicodedata.category(character) in ("Cc", "Cs") or character in "\u202e\u2066\u2028" for character in title)

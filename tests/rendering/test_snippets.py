"""What a search shows of a text: the place it found, marked, and nothing that could be taken for HTML."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.models.search_terms import Terms
from conversations.rendering.snippets import LENGTH, LOOKED_AT, highlight, pattern_of, snippet
from tests.growth import LINEAR, growth


def shown(text: str, typed: str) -> str:
    return str(snippet(text, Terms.of(typed).wanted))


@pytest.mark.parametrize(
    ("typed", "text", "expected"),
    [
        ("sky", "the Sky above", "the <mark>Sky</mark> above"),
        ("cafe", "Ein Café", "Ein <mark>Café</mark>"),
        ("café ", "a cafe and cafes", "a <mark>cafe</mark> and cafes"),
        ("caf", "a cafe and cafes", "a <mark>caf</mark>e and <mark>caf</mark>es"),
        ("cafe\u0301", "un cafe\u0301 noir", "un <mark>cafe\u0301</mark> noir"),
        ("angstrom", "Ångström", "<mark>Ångström</mark>"),
        ("привет", "Привет, мир", "<mark>Привет</mark>, мир"),
        ('"of the"', "of it, of the two", "of it, <mark>of the</mark> two"),
        ("don't", "I don’t", "I <mark>don’t</mark>"),
        ("snake_case", "a snake_case name", "a <mark>snake_case</mark> name"),
        ("手机", "我的iPhone手机坏了", "我的iPhone<mark>手机</mark>坏了"),
        ("iphone", "我的iPhone手机", "我的<mark>iPhone</mark>手机"),
        ("사과", "나는 사과를", "나는 <mark>사과</mark>를"),
        ("one two", "two and one", "<mark>two</mark> and <mark>one</mark>"),
        ("here", "not there", "not there"),
        ("x", "## Heading\n\n- **bold** x\n\n| a | b |\n|---|---|\n```python\ncode", "Heading bold <mark>x</mark> a | b code"),
        ("code", "call `code()` here", "call <mark>code</mark>() here"),
        ("b", "<b>b</b> & 'b'", "&lt;<mark>b</mark>&gt;<mark>b</mark>&lt;/<mark>b</mark>&gt; &amp; &#x27;<mark>b</mark>&#x27;"),
    ],
)
def test_what_was_found_is_marked(typed: str, text: str, expected: str) -> None:
    assert shown(text, typed) == expected


def test_a_long_text_is_cut_at_words_around_what_was_found() -> None:
    text = "before " * 1_000 + "needle" + " after" * 1_000
    html = shown(text, "needle")
    assert html.startswith("… before")
    assert html.endswith("after …")
    assert "<mark>needle</mark>" in html
    assert len(html) < LENGTH + 50


def test_what_stands_too_far_behind_is_not_looked_for() -> None:
    assert "<mark>" not in shown("x " * LOOKED_AT + "needle", "needle")


@pytest.mark.parametrize("typed", ["a b", '"a b"', "a", "ab"])
@pytest.mark.parametrize("piece", ["\u0301", " ", "\u0301 ", "a", "a "])
def test_no_text_takes_more_time_than_its_length_allows(typed: str, piece: str) -> None:
    pattern = pattern_of(Terms.of(typed).wanted)
    assert pattern
    assert growth(lambda size: pattern.search("a" + piece * size + "!"), 1_000) < LINEAR


@given(text=st.text(), typed=st.text())
def test_nothing_of_any_text_is_left_as_html(text: str, typed: str) -> None:
    for html in (shown(text, typed), str(highlight(text, Terms.of(typed).wanted))):
        rest = html.replace("<mark>", "").replace("</mark>", "")
        assert "<" not in rest
        assert ">" not in rest
        assert html.count("<mark>") == html.count("</mark>")


def test_a_title_is_shown_whole() -> None:
    assert highlight("A <i>title</i>", Terms.of("title").wanted) == "A &lt;i&gt;<mark>title</mark>&lt;/i&gt;"

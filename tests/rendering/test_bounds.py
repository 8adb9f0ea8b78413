"""Claims about what one frame may cost at most, whatever the text is, and about what is large when it closes."""

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from conversations.rendering import code
from conversations.rendering.document import render_document
from conversations.rendering.live import LiveMarkdown
from conversations.rendering.markdown import PLAIN_FROM
from conversations.rendering.nesting import LARGE
from conversations.rendering.sanitise import count_elements

from .arriving import bytes_of, frames_of, live, pieces_of
from .dom import Page, page_html, parse
from .strategies import LARGE_TEXTS, MANY, WORDS

HOSTILE = {
    "deep_quote": "> " * 10_000,
    "deeper_quote": ">" * 100_000,
    "deep_quote_below_a_line": "> a\n" + "> " * 10_000,
    "deep_list": "+ " * 10_000,
    "deep_numbers": "1) " * 10_000,
    "deep_mixture": "> - " * 5_000,
    "deep_lines": "".join("  " * (level % 200) + "- a\n" for level in range(2_000)),
    "brackets": "[" * 100_000,
    "line": "a word and **more** of it " * 40_000,
    "word": "a" * 1_000_000,
    "line_in_item": "- " + "a word and **more** of it " * 40_000,
    "line_in_quote": "> " + "a word and **more** of it " * 40_000,
    "lines": "word\n" * 100_000,
    "items": "- a\n" * 50_000,
    "items_in_item": "- a\n" + "  - a\n" * 50_000,
    "rows": "|a|\n|-|\n" + "|a|\n" * 50_000,
    "quoted_lines": "> a\n" * 50_000,
    "notes": "[^a]: x\n" + "    a\n" * 50_000,
    "html": "<!--\n" + "a\n" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_frame_parses_more_than_has_time(name: str) -> None:
    """Not the last one either: what is large when it closes stays as it was put together."""
    text = HOSTILE[name]
    read = [parsed for _, parsed in frames_of(text, max(1_000, len(text) // 300))]
    assert max(read) <= 3 * PLAIN_FROM


@pytest.mark.parametrize("name", [name for name in HOSTILE if name.startswith("deep")])
def test_a_bomb_of_markers_is_only_text(name: str) -> None:
    html = render_document(HOSTILE[name])
    assert html.count("<blockquote>") + html.count("<ul>") + html.count("<ol>") < 2_500
    page = live(HOSTILE[name])
    page.finish()
    assert page.snapshot() == html
    deepest = 0
    for tag in html.split("<")[1:]:
        deepest += -1 if tag[0] == "/" else tag.startswith(("ul", "ol", "blockquote", "li"))
        assert deepest < 100


@settings(MANY, max_examples=10, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # to shrink one takes minutes
@given(LARGE_TEXTS, st.lists(st.integers(0, 400), max_size=20))
def test_what_is_large_is_the_same_however_it_came(text: str, cuts: list[int]) -> None:
    places = [cut * len(text) // 400 for cut in cuts]
    markdown, page = LiveMarkdown(), Page()
    for piece in pieces_of(text, places):
        markdown.feed(piece)
        page.apply(markdown.frame())
        assert page.html == page_html(markdown.snapshot())
    page.apply(markdown.finish())
    assert page.html == page_html(render_document(text))


@pytest.mark.parametrize("opening", ["- top\n  - sub\n", "> - top\n"])
def test_what_is_nested_and_long_is_not_sent_again_when_it_closes(opening: str) -> None:
    begin = ">   " if opening.startswith(">") else "    "
    markdown = live(opening + "".join(f"{begin}- item {number:04} is **bold**\n" for number in range(2000)))
    markdown.frame()
    markdown.feed("\nAfter it.\n\nAnd on.\n")
    assert bytes_of(markdown.frame()) < 500
    assert bytes_of(markdown.finish()) < 300


def test_a_paragraph_that_never_ends_is_cut_at_a_line() -> None:
    html = render_document("A line of *prose*.\n" * (2 * LARGE // 18))
    assert html.count("<p>") > 1
    assert html.count("<em>") == 2 * LARGE // 18


@given(st.lists(st.one_of(WORDS, st.sampled_from(["\n", "\n\n", "    x = 1\n", "def f():\n", "y" * 500]))))
def test_portions_of_code_are_the_code(words: list[str]) -> None:
    source = "".join(words) * 20
    portions = list(code.portions(source))
    assert "".join(portions) == source
    assert all(len(portion) <= code.PORTION for portion in portions if portion.count("\n") > 1 and len(source) <= code.HIGHLIGHT_LIMIT)


def test_a_block_that_arrives_is_coloured_while_it_does() -> None:
    """At its end at most one portion is left to do."""
    source = "".join(f"def function_{number}(argument):\n    return argument + {number}\n\n" for number in range(200))
    markdown = LiveMarkdown()
    for piece in pieces_of(f"- top\n\n  ```python\n{source}".replace("\n", "\n  "), list(range(0, 40_000, 50))):
        markdown.feed(piece)
        before = code.highlighted.cache_info().misses
        markdown.frame()
        assert code.highlighted.cache_info().misses - before <= 1
    markdown.feed("\n  ```\n\nafter\n")
    before = code.highlighted.cache_info().misses
    markdown.frame()
    assert code.highlighted.cache_info().misses - before <= 1
    assert markdown.snapshot().count('<span class="k">def</span>') == 200


def test_a_line_of_code_that_is_too_long_stays_plain() -> None:
    html = render_document("```python\ndef f():\n" + "def g(): " * 400 + "\ndef h():\n```")
    assert html.count('class="k"') == 2


@pytest.mark.parametrize(
    ("html", "count"),
    [("", 0), ("a", 0), ("a <b>c</b>", 1), ("<em><b>c</b></em><br>d<input><i>e</i>", 4), ('<a title="a > <b>">c</a> &lt;i&gt;', 1)],
)
def test_elements_side_by_side_are_counted(html: str, count: int) -> None:
    assert count_elements(html) == count == len(parse(html).elements)


def test_a_definition_at_the_end_of_a_long_list_reaches_the_items_before_it() -> None:
    text = "- see [a]\n" * (LARGE // 5) + "- last\n\n  [a]: https://a.example\n\nAfter.\n"
    markdown, page = LiveMarkdown(), Page()
    for piece in pieces_of(text, list(range(0, len(text), 4_000))):
        markdown.feed(piece)
        page.apply(markdown.frame())
    page.apply(markdown.finish())
    assert page.html == page_html(render_document(text))
    assert page.html.count("https://a.example") == LARGE // 5

"""Claims about Markdown that arrives: the page is the same however it came, and no frame grows with the answer."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.rendering.document import render_document
from conversations.rendering.live import LiveMarkdown
from conversations.rendering.patches import Patch

from .arriving import bytes_of, frames_of, live, pieces_of
from .dom import Page, page_html
from .strategies import CUTS, MANY, TEXTS


@MANY
@given(TEXTS, CUTS)
def test_folding_the_frames_gives_the_snapshot_and_in_the_end_the_document(text: str, cuts: list[int]) -> None:
    markdown, page = LiveMarkdown(), Page()
    for piece in pieces_of(text, cuts):
        markdown.feed(piece)
        page.apply(markdown.frame())
        assert page.html == page_html(markdown.snapshot())
    page.apply(markdown.finish())
    assert markdown.snapshot() == render_document(text)
    assert page.html == page_html(render_document(text))
    assert markdown.finish() == [] == markdown.frame()


@MANY
@given(TEXTS, CUTS)
def test_a_frame_may_be_applied_twice(text: str, cuts: list[int]) -> None:
    markdown, page = LiveMarkdown(), Page()
    for piece in [*pieces_of(text, cuts), ""]:
        markdown.feed(piece)
        patches = markdown.frame() if piece else markdown.finish()
        page.apply(patches)
        once = page.html
        page.apply(patches)
        assert page.html == once


@MANY
@given(TEXTS, CUTS)
def test_what_is_closed_does_not_depend_on_how_the_text_was_cut(text: str, cuts: list[int]) -> None:
    whole, markdown = live(text), LiveMarkdown()
    for piece in pieces_of(text, cuts):
        markdown.feed(piece)
        markdown.frame()
    closed = markdown.closed
    assert closed == whole.closed
    assert Page(markdown.snapshot()).container.elements[:closed] or not closed
    ours, theirs = Page(markdown.snapshot()), Page(whole.snapshot())
    assert [e.html() for e in ours.container.elements[:closed]] == [e.html() for e in theirs.container.elements[:closed]]


@MANY
@given(TEXTS, CUTS, st.integers(0, 20), st.booleans())
def test_a_page_from_any_earlier_point_is_brought_to_the_present(text: str, cuts: list[int], at: int, ends: bool) -> None:
    pieces = pieces_of(text, cuts)
    old, new = live("".join(pieces[:at])), LiveMarkdown()
    with_open, closed = Page(old.snapshot()), old.closed
    without_open = Page("".join(e.html() for e in with_open.container.elements[:closed]))
    for piece in pieces:
        new.feed(piece)
        new.frame()
    if ends:
        new.finish()
    for page in (with_open, without_open):
        page.apply(new.since(closed))
        assert page.html == page_html(new.snapshot())


@MANY
@given(TEXTS, CUTS, st.sets(st.integers(0, 20)))
def test_a_page_that_was_loaded_between_two_frames_goes_on_with_the_next(text: str, cuts: list[int], looks: set[int]) -> None:
    markdown, pages = LiveMarkdown(), [Page()]
    for number, piece in enumerate(pieces_of(text, cuts)):
        markdown.feed(piece)
        if number in looks:
            pages.append(Page(markdown.snapshot()))
        else:
            patches = markdown.frame()
            for page in pages:
                page.apply(patches)
                assert page.html == page_html(markdown.snapshot())
    patches = markdown.finish()
    for page in pages:
        page.apply(patches)
        assert page.html == page_html(render_document(text))


LONG = {
    "code": "```python\n" + "".join(f"line_{number:04} = call({number:04})\n" for number in range(2000)),
    "list": "".join(f"- item {number:04} is **bold**\n" for number in range(2000)),
    "loose_list": "".join(f"{number + 1000}. item is **bold**\n\n" for number in range(2000)),
    "table": "| a | b |\n|---|---|\n" + "".join(f"| {number:04} | **bold** |\n" for number in range(2000)),
    "paragraphs": "".join(f"Paragraph {number:04} of *prose*.\n\n" for number in range(2000)),
    "prose": "".join(f"Line {number:04} of *one* paragraph.\n" for number in range(2000)),
    "one_line": "a word and " * 5000,
    "one_line_of_code": "```\n" + "a word and " * 5000,
    "quote": "".join(f"> line {number:04} of a quote\n" for number in range(2000)),
    "nested_list": "- top\n" + "".join(f"  - item {number:04} is **bold**\n" for number in range(2000)),
    "alternating_list": "1. top\n" + "".join(f"   {'  ' * (number % 3)}- item {number:04}\n" for number in range(2000)),
    "code_in_item": "- *top*\n\n  ```python\n" + "".join(f"  line_{number:04} = call({number:04})\n" for number in range(2000)),
    "table_in_item": "- top\n\n  | a | b |\n  |---|---|\n" + "".join(f"  | {number:04} | **bold** |\n" for number in range(2000)),
    "prose_in_item": "- top\n\n" + "".join(f"  Paragraph {number:04} of *prose*.\n\n" for number in range(2000)),
    "list_in_quote": "".join(f"> - item {number:04} is **bold**\n" for number in range(2000)),
    "code_in_quote": "> ```\n" + "".join(f"> line_{number:04} = call({number:04})\n" for number in range(2000)),
    "quote_in_quote": "".join(f"> > Paragraph {number:04} of *prose*.\n> >\n" for number in range(2000)),
}


@pytest.mark.parametrize("name", LONG)
def test_cost_per_frame_does_not_grow_with_the_answer(name: str) -> None:
    """Counts what is sent and what is parsed, in the second and in the last fifth of 1,000 frames or more (law 7)."""
    sent, read = zip(*list(frames_of(LONG[name], 50))[:-1], strict=True)
    fifth = len(sent) // 5
    limit = 200 if name not in ("prose", "one_line", "quote") else 8 * 4096
    assert sum(sent[-fifth:]) < 1.5 * sum(sent[fifth : 2 * fifth]) + limit * 10
    assert sum(read[-fifth:]) < 1.5 * sum(read[fifth : 2 * fifth]) + limit * 10


@pytest.mark.parametrize("name", ["list", "loose_list", "table"])
def test_a_long_list_or_table_is_not_sent_again_when_it_closes(name: str) -> None:
    markdown = live(LONG[name])
    markdown.frame()
    markdown.feed("\nAfter it.\n\nAnd on.\n")
    assert bytes_of(markdown.frame()) < 300
    assert bytes_of(markdown.finish()) < 300


def test_a_closed_block_is_sent_once() -> None:
    markdown = live("First.\n\nSecond")
    assert "First." in markdown.frame()[0].html
    markdown.feed(" goes on")
    assert markdown.frame() == [Patch((2,), "outerHTML", "<p>Second goes on</p>")]


def test_code_gets_its_colours_when_its_fence_closes() -> None:
    markdown = live("```python\ndef f():\n")
    assert 'class="k"' not in markdown.frame()[0].html
    markdown.feed("    pass\n```\n")
    (patch,) = [patch for patch in markdown.frame() if patch.html]
    assert patch.path == (1,)
    assert 'class="k"' in patch.html
    assert markdown.closed == 1


def test_code_that_is_still_arriving_has_nothing_to_fold() -> None:
    markdown, page = live("```\n" + "x\n" * 100), Page()
    page.apply(markdown.frame())
    assert "details" not in page.html
    markdown.feed("```\n")
    page.apply(markdown.frame())
    assert "Show all 100 lines" in page.html


def test_a_definition_that_comes_late_repairs_the_closed_block_at_the_end() -> None:
    markdown = live("See [docs].\n\nMore.\n\n[docs]: https://docs.example\n")
    page = Page()
    page.apply(markdown.frame())
    assert "href" not in page.html
    page.apply(markdown.finish())
    assert 'href="https://docs.example"' in page.html


def test_a_dash_below_a_line_is_not_shown_as_a_heading_while_it_may_become_a_list() -> None:
    assert live("Three things:\n-").snapshot() == "<p>Three things:\n</p>".replace("\n", "")


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "[",
        "*",
        "> ",
        "- ",
        "1) ",
        "_a",
        "`",
        "$",
        "\\(",
        "\\[ ",
        "<a ",
        "![",
        "|",
        "\r",
        "\n",
        "- a\n",
        "> a\n",
        "|a|\n|-|\n",
        "```\n",
        "# \n",
        "[^a]: x\n",
        "[a]: b\n",
        "<!--\n",
        "    a\n",
        "$$\n",
        "&amp;",
        "~~a",
        "\ud800",
        "**a *b ",
        "[a](b) ",
        "\\(x\\)",
        "http://a ",
        "{",
    ],
)
def test_twice_the_hostile_text_takes_about_twice_the_time(unit: str) -> None:
    small, large = (min(seconds_for(unit * (size // len(unit))) for _ in range(2)) for size in (10_000, 40_000))
    assert large < 12 * small + 0.05


def test_a_hundred_thousand_levels_of_nesting_are_only_text() -> None:
    for text in ("> " * 100_000, "1) " * 100_000, "".join("  " * min(level, 300) + "- a\n" for level in range(1000))):
        markdown = live(text)
        markdown.finish()
        assert markdown.snapshot().count("<blockquote>") + markdown.snapshot().count("<ol") <= 100


def seconds_for(text: str) -> float:
    started = process_time()
    markdown = LiveMarkdown()
    for start in range(0, len(text), 1 + len(text) // 4):
        markdown.feed(text[start : start + 1 + len(text) // 4])
        markdown.frame()
    markdown.finish()
    return process_time() - started

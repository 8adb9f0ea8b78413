"""Claims about rendered Markdown: what the field writes is shown well, and nothing hostile is ever more than text."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.rendering import latex
from conversations.rendering.document import render_blocks, render_document
from conversations.rendering.markdown import render_source
from conversations.rendering.pieces import normalise
from conversations.rendering.sanitise import MATHML, PROSE, clean

from .dom import Element, parse
from .strategies import MANY, TEXTS

HOSTILE = st.lists(
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<svg/onload=alert(1)>",
            "[a](javascript:alert(1))",
            "![a](data:x)",
            "<a href='javascript:x'>",
            '[a](http://b "\' onclick=x")',
            '<http://a/"onmouseover=x>',
            "[a]: javascript:x\n",
            "[a]",
            "\ue0000\ue001",
            "$\\text{<img src=x>}$",
            "$\\href{javascript:x}{y}$",
            "\\(</math><script>x</script>\\)",
            "```<img>\nx\n```",
            '``` " onclick=x\n```',
            "<div hx-get=/x data-hx-get=/x id=a style=a:b>",
            "</p></div></article>",
            "<!--",
            "]]>",
            "&lt;script&gt;",
            "&#x3C;script>",
            "<?x",
            "\n",
            "\n\n",
            "| <b> | `<i>` |\n|-|-|\n",
            "> ",
            "- ",
            "$",
            "`",
            "[^<script>]",
            "[^<b>]: x\n",
            "https://a.b/<script>",
            "<a@b.c>",
            "\x00",
            "\ud800",
            "&",
            '"',
        ]
    ),
    max_size=12,
).map("".join)
ALLOWED = {
    "class",
    "href",
    "title",
    "target",
    "rel",
    "type",
    "data-copy",
    "role",
    "aria-label",
    "tabindex",
    "disabled",
    "checked",
    "start",
    "scope",
}


def walk(element: Element) -> list[Element]:
    return [found for child in element.elements for found in (child, *walk(child))]


def assert_harmless(html: str) -> None:
    for element in walk(parse(html)):
        assert element.name in PROSE | MATHML
        for name, value in element.attributes:
            assert name in ALLOWED or element.name in MATHML
            assert not name.startswith(("on", "hx-", "data-hx"))
            assert name not in ("style", "id", "src")
            assert name != "href" or re.match(r"(?:https?://|mailto:)", value or "", re.I)


@MANY
@given(st.one_of(HOSTILE, TEXTS, st.text()))
def test_nothing_hostile_is_more_than_text(text: str) -> None:
    for block in render_blocks(text):
        assert_harmless(block)
        assert len(parse(block).children) == 1, "each block has one root element"


@MANY
@given(TEXTS)
def test_what_is_sanitised_once_is_sanitised(text: str) -> None:
    assert clean(render_document(text)) == render_document(text)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# One\n###### Six", "<h3>One</h3><h6>Six</h6>"),
        ("<script>x</script>", '<pre class="raw-html">&lt;script&gt;x&lt;/script&gt;</pre>'),
        ("a <b>c</b>", "<p>a &lt;b&gt;c&lt;/b&gt;</p>"),
        ("[a](javascript:x) [b](/c) ![d](data:e)", "<p>a b Image: d</p>"),
        ("- a\n\n- b\n", "<ul><li>a</li><li>b</li></ul>"),
        ("- a\n- b\n", "<ul><li>a</li><li>b</li></ul>"),
        ("3. a\n\n   b", '<ol start="3"><li>a<p>b</p></li></ol>'),
        ("> [!TIP]\n> a", '<blockquote class="alert tip"><p>a</p></blockquote>'),
        ("$x$", "<p><math><mi>x</mi></math></p>"),
        (r"\(x\) and `\(x\)`", r"<p><math><mi>x</mi></math> and <code>\(x\)</code></p>"),
        (r"\(a_1 * b_2 * c\)", None),
        ("\\[\nx\n\n", "<p>[\nx</p>"),
        ("$$\na\n+ b\n$$\nafter", '<p><math display="block"><mi>a</mi><mo>+</mo><mi>b</mi></math></p><p>after</p>'),
        (r"$\nosuchcommand$", r'<p><code class="math">\nosuchcommand</code></p>'),
        ("a\r\nb\rc", "<p>a\nb\nc</p>"),
        ("a\x00\ud800", "<p>a\ufffd\ufffd</p>"),
        ("note[^1]\n\n[^1]: text", None),
    ],
)
def test_text_is_rendered_as(text: str, html: str | None) -> None:
    assert_harmless(render_document(text))
    assert html is None or render_document(text) == html


def test_an_image_is_a_labelled_link_and_never_loaded() -> None:
    html = render_document("![A *cat*](https://a.example/cat.png)")
    assert ">Image: A cat</a>" in html
    assert 'class="image-link"' in html
    assert "<img" not in html
    assert render_document("[![badge](http://i)](http://l)").count("<a ") == 1


def test_links_open_elsewhere_and_tell_nobody() -> None:
    for text in ("[a](https://b.c)", "<https://b.c>", "https://b.c", "[a][r]\n\n[r]: https://b.c"):
        assert 'target="_blank" rel="noopener noreferrer nofollow"' in render_document(text)


def test_a_table_scrolls_and_aligns_by_class() -> None:
    html = render_document("intro\n| a | b |\n|:-:|--:|\n| 1 | 2 |\n")
    assert html.startswith('<p>intro</p><div class="table"')
    assert '<td class="align-center">1</td><td class="align-right">2</td>' in html


def test_task_boxes_have_a_name_and_cannot_be_changed() -> None:
    html = render_document("- [x] a\n- [ ] b\n")
    assert '<li class="task"><input type="checkbox" disabled="" checked="" aria-label="Done"> a</li>' in html
    assert '<input type="checkbox" disabled="" aria-label="To do"> b' in html


def test_code_has_its_language_a_copy_button_and_colours() -> None:
    html = render_document("```python title\ndef f(): pass\n```")
    assert '<span class="language">python</span><button type="button" data-copy="code">Copy code</button>' in html
    assert '<span class="k">def</span>' in html
    assert "<code>&lt;x&gt;\n</code>" in render_document("```nosuch\n<x>\n```")


def test_a_huge_block_of_code_stays_plain() -> None:
    assert 'class="k"' not in render_document("```python\n" + "def f(): pass\n" * 6000 + "```\n")


@pytest.mark.parametrize(("lines", "is_folded"), [(40, False), (41, True), (2000, True)])
def test_long_code_can_be_folded(lines: int, is_folded: bool) -> None:
    html = render_document("```\n" + "x\n" * lines + "```\n")
    assert ("</pre><details><summary>" in html) == is_folded
    assert (f"Show all {lines} lines" in html) == is_folded
    assert html.count("x\n") >= lines - 1


def test_a_diff_tells_what_was_added_and_removed_by_class() -> None:
    html = render_document("```diff\n-old <b>\n+new\n```\n")
    assert '<span class="gd">-old &lt;b&gt;</span>' in html
    assert '<span class="gi">+new</span>' in html


def test_a_footnote_may_be_defined_behind_its_mark() -> None:
    html = render_document("See[^late].\n\nMore.\n\n[^late]: Defined *late*.\n")
    assert '<p>See<sup class="footnote">late</sup>.</p>' in html
    assert "Defined <em>late</em>." in html


def test_a_formula_keeps_its_layout_without_style_attributes() -> None:
    html = render_document("$$\n\\begin{aligned}a &= b\\\\ c &= d\\end{aligned}\n$$")
    assert '<mtd class="align-right">' in html
    assert " style=" not in html


@pytest.mark.parametrize("unit", ["{", "\\sqrt", "\\left(", "\\begin{cases}", "\\frac{", "x^{", "\\color{red}", "\\bar"])
def test_a_hostile_formula_is_shown_as_it_was_written(unit: str) -> None:
    for count in (60, 400, 40_000):
        assert latex.formula(unit * count, display=True).startswith('<code class="math">')


LAZY_QUOTE = re.compile(r"^ {0,3}>.*\n(?! {0,3}>)[^\n]", re.M)


@settings(MANY, derandomize=True)
@given(TEXTS)
def test_an_ordinary_text_means_the_same_cut_into_pieces(text: str) -> None:
    """The cuts follow CommonMark: but for what reaches further (formulas, references), one parse gives the same blocks.

    Where a lazy line may go on a paragraph deep in a quote the cut may differ; then each part is rendered by itself.
    """
    text = normalise(text)
    if not any(mark in text for mark in ("$$", "\\[", "\\]", "]:", "- ```")) and not LAZY_QUOTE.search(text):
        assert render_blocks(text) == render_source(text)

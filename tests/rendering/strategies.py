"""Texts that look like Markdown, of every kind that this room knows, and the ways to cut them."""

from hypothesis import settings
from hypothesis import strategies as st

_WORDS = (
    r"a b *em* **strong** `code` $x^2$ [link](http://a.b) [ref] [^1] <b> <div> \(y\) é 🦉 | ` * _ ~ $$ ![i](http://i) - # > 1. &amp; \ \["
)
_LINES = """\
- item
- [x] task
  - nested
* star
1. one
2. two
3) three
> quote
> [!NOTE]
# Heading
```python
```
~~~
  ```
    indented
\ttab
| a | b |
|---|:-:|
| 1 | 2 |
|x|
|-|
---
===
[ref]: http://ref.example
[^1]: note
<div>
</div>
<!-- c
-->
$$
\\[
\\]
x = 1
+ 1
  lazy
<script>
</script>
<b>x</b>
-
1.
   > deep
- ```
  code
***
- - -
| # |
\x00
\ud800"""

WORDS = st.sampled_from(_WORDS.split())
LINES = st.one_of(
    st.lists(WORDS, min_size=1, max_size=5).map(" ".join),
    st.sampled_from(_LINES.split("\n")),
    st.sampled_from(["", "- "]),
    st.text(max_size=8),
)
ENDS = st.sampled_from(["\n", "\n", "\n", "\r\n", "\n\n", "\r"])
FLAT = st.lists(st.tuples(LINES, ENDS), max_size=14).map(lambda parts: "".join(line + end for line, end in parts))
_BLOCKS = st.sampled_from(
    [
        "```python\nx = 1\n\ny = 2\n```\n",
        "~~~\nnever closed\n",
        "- a *b*\n- c\n",
        "* [x] a\n\n* b\n",
        "1. a\n2. `b`\n",
        "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | *4* |\n",
        "> q\n> r\n",
        "> [!NOTE]\n> q\n",
        "prose *x*\nmore\n",
        "# h\n",
    ]
)
_SHORT = st.lists(st.tuples(LINES, ENDS), max_size=3).map(lambda parts: "".join(line + end for line, end in parts))
_LEADS = st.one_of(st.just(""), st.lists(WORDS, min_size=1, max_size=4).map(lambda words: " ".join(words) + "\n"))
_INSIDE = {  # what begins a block of blocks, and how it goes on
    "- ": "  ",
    "1. ": "   ",
    "* ": "  ",
    "10) ": "    ",
    "-\t": "\t",
    "> ": "> ",
    ">": ">",
    "> - ": ">   ",
}


def inside(text: str, mark: str) -> str:
    first, *rest = text.splitlines(keepends=True) or [""]
    return mark + first + "".join(_INSIDE[mark] + line if line.strip() or mark == "> " else line for line in rest)


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    blocks = st.lists(st.tuples(inner, st.sampled_from(["", "\n"])), min_size=1, max_size=3)
    content = st.builds(lambda lead, parts: lead + "".join(text + end for text, end in parts), _LEADS, blocks)
    return st.builds(inside, content, st.sampled_from(list(_INSIDE)))


NESTED = st.recursive(st.one_of(_BLOCKS, _SHORT), _nested, max_leaves=8)  # lists, code, tables, quotes in items and quotes
TEXTS = st.one_of(FLAT, NESTED, st.lists(NESTED, max_size=3).map("".join))
LARGE_TEXTS = st.builds(  # larger than what is parsed as a whole when it closes
    lambda lead, text, mark, outer: inside(inside(lead + (text + "line of *text*\n") * (17_000 // (len(text) + 15)), mark), outer),
    _LEADS,
    NESTED,
    st.sampled_from(list(_INSIDE)),
    st.sampled_from(list(_INSIDE)),
)
CUTS = st.one_of(st.lists(st.integers(0, 400), max_size=30), st.integers(6, 40).map(lambda step: list(range(0, 400, step))))
MANY = settings(max_examples=200, deadline=None)

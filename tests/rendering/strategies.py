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
TEXTS = st.lists(st.tuples(LINES, ENDS), max_size=14).map(lambda parts: "".join(line + end for line, end in parts))
CUTS = st.lists(st.integers(0, 400), max_size=30)
MANY = settings(max_examples=200, deadline=None)

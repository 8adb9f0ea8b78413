r"""Formulas: LaTeX to MathML, and the \( \) and \[ \] that Markdown itself does not know.

What cannot be converted is shown as it was written. math-core recurses per nesting level: length and depth are bounded first.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import lru_cache
from html import escape

from math_core import LatexError, LatexToMathML

LENGTH_LIMIT = 2_000
DEPTH_LIMIT = 50
_converter = LatexToMathML(max_expansions=20, fancy_error=False)
_STYLE = re.compile(r' style="([^"]*)"')
_STYLE_CLASSES = {
    "text-align: left": "align-left",
    "text-align: right": "align-right",
    "border-top": "line-top",
    "border-right": "line-right",
    "border-bottom": "line-bottom",
    "border-left": "line-left",
}
_TOKEN = re.compile(rb"\\([\s\S])")
_BLANK = re.compile(rb"\n[ \t]*\n")
_BRACE = re.compile(r"[{}]")
_CHAIN = re.compile(r"(?:\\[a-zA-Z]+\s*)+")
_OPENING = re.compile(r"\\(?:left|begin|color|displaystyle|textstyle|scriptstyle|scriptscriptstyle)\b")
_PLACE = re.compile("\ue000([0-9]{1,9})\ue001")


@lru_cache(maxsize=1024)
def formula(source: str, *, display: bool) -> str:
    """Return the formula as MathML, or its source in <code> if it cannot be."""
    plain = f'<code class="math">{escape(source)}</code>'
    if len(source) > LENGTH_LIMIT or _depth(source) > DEPTH_LIMIT:
        return plain
    try:
        return _STYLE.sub(_classes, _converter.convert_with_local_state(source, displaystyle=display))
    except LatexError:
        return plain


def _depth(source: str) -> int:
    """About how deep the converter will recurse: braces, environments, and commands that take each other as argument."""
    depth = deepest = 0
    brace: str
    for brace in _BRACE.findall(source):
        depth += 1 if brace == "{" else -1
        deepest = max(deepest, depth)
    chains = [str(chain).count("\\") for chain in _CHAIN.findall(source)]
    return max(deepest, len(_OPENING.findall(source)), *chains, 0)


def _classes(style: re.Match[str]) -> str:
    names = [name for prefix, name in _STYLE_CLASSES.items() if prefix in style[1]]
    return f' class="{" ".join(names)}"' if names else ""


class Hidden:
    r"""A source whose \( \) and \[ \] formulas are replaced by marks that no Markdown rule touches.

    `masks` are byte ranges to leave alone (code, raw HTML), in order.
    """

    def __init__(self, source: str, masks: Sequence[tuple[int, int]]) -> None:
        self.formulas: list[tuple[str, bool]] = []
        self.source = source
        if "\ue000" not in source:  # somebody's own mark: leave all as it is
            self.source = self._hide(source.encode(), masks).decode()

    def _hide(self, source: bytes, masks: Sequence[tuple[int, int]]) -> bytes:
        out, done, opened = [], 0, None
        for token in _TOKEN.finditer(source):
            if token[1] in b"([":
                opened = token
            elif opened and token[1] == (b")" if opened[1] == b"(" else b"]"):
                if self._is_formula(source, opened.end(), token.start(), masks):
                    out += [source[done : opened.start()], self._mark(source[opened.end() : token.start()], opened[1] == b"[")]
                    done = token.end()
                opened = None
        return b"".join([*out, source[done:]])

    def _is_formula(self, source: bytes, start: int, end: int, masks: Sequence[tuple[int, int]]) -> bool:
        if end - start > LENGTH_LIMIT or _BLANK.search(source, start, end):
            return False
        after = bisect_left(masks, (start,))  # the first mask that begins at or behind the start
        return not (after < len(masks) and masks[after][0] < end) and not (after and masks[after - 1][1] > start)

    def _mark(self, formula: bytes, display: bool) -> bytes:
        self.formulas.append((formula.decode(), display))
        return f"\ue000{len(self.formulas) - 1}\ue001".encode()

    def html(self, escaped: str) -> str:
        """Return escaped text with the formulas in their places."""
        return self._show(escaped, lambda source, display: formula(source.strip(), display=display))

    def text(self, text: str) -> str:
        """Return plain text with the formulas as they were written."""
        return self._show(text, lambda source, display: rf"\[{source}\]" if display else rf"\({source}\)")

    def _show(self, text: str, show: Callable[[str, bool], str]) -> str:
        if not self.formulas or "\ue000" not in text:
            return text
        return _PLACE.sub(lambda place: show(*self.formulas[int(place[1])]), text)

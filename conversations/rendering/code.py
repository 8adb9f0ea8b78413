"""Blocks of code: a figure with its language, a copy button and, once closed, Pygments' classes. Never a style attribute.

A closed one that is long carries what folds it: site.css shows its beginning, in an answer that has ended, until it is opened.
"""

from collections.abc import Iterator
from functools import lru_cache
from html import escape

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

HIGHLIGHT_LIMIT = 16_000  # characters; a longer block stays plain: its spans would take the sanitiser more than 12 ms (dense C++)
PORTION = 3_000  # characters coloured at once: Pygments takes 3 ms for JSON, 5 for SQL, 8 for Python, 10 for C++, the slowest
FOLDED_FROM = 41  # lines
_formatter = HtmlFormatter(nowrap=True)


def figure(info: str, source: str) -> str:
    """Return the block as HTML; `info` is what stood behind the opening fence."""
    language = language_of(info)
    code = "".join(highlighted(language, portion) for portion in portions(source))
    return frame(language, code, source.removesuffix("\n").count("\n") + 1)


def language_of(info: str) -> str:
    words = info.split(maxsplit=1)
    return words[0] if words else ""


def portions(source: str) -> Iterator[str]:
    """Yield the source in the portions it is coloured in, or as one if it is too long for colours."""
    if len(source) > HIGHLIGHT_LIMIT:
        yield source
        return
    portioner = Portioner()
    for line in source.split("\n"):
        yield from portioner.push(line)
    yield portioner.rest.removesuffix("\n")


class Portioner:
    """Cuts code into portions line by line, so that a block that arrives can be coloured before it closes.

    Each begins anew for the lexer; where it can, with a line that is not indented behind a blank one.
    """

    def __init__(self) -> None:
        self.rest = ""
        self.size = 0
        self._is_after_blank = False

    def push(self, line: str) -> Iterator[str]:
        begins = self._is_after_blank and bool(line) and not line[0].isspace() and len(self.rest) > PORTION // 2
        if self.rest and (begins or len(self.rest) + len(line) >= PORTION):
            yield self.rest
            self.rest = ""
        self.rest += line + "\n"
        self.size += len(line) + 1
        self._is_after_blank = not line.strip()


def colour_ahead(language: str, portioner: Portioner, line: str) -> None:
    """Colour what the next line of a block that arrives completes, so that the end of the block finds it done."""
    for portion in portioner.push(line):
        if portioner.size <= HIGHLIGHT_LIMIT:
            highlighted(language, portion)


def frame(language: str, code: str, lines: int = 0) -> str:
    """Return the figure around code that is HTML already, and has so many lines if it is complete."""
    label = f'<span class="language">{escape(language[:40])}</span>' if language else ""
    button = '<button type="button" data-copy="code">Copy code</button>'
    caption = f"<figcaption>{label}{button}</figcaption>"
    return f'<figure class="code">{caption}<pre tabindex="0"><code>{code}</code></pre>{fold(lines)}</figure>'


def fold(lines: int) -> str:
    if lines < FOLDED_FROM:
        return ""
    more, less = f'<span class="more">Show all {lines} lines</span>', '<span class="less">Show fewer lines</span>'
    return f"<details><summary>{more}{less}</summary></details>"


@lru_cache(maxsize=640)
def highlighted(language: str, portion: str) -> str:
    """Return the portion with a span per token. The cache holds at most about 25 MB: what was coloured while it arrived."""
    lexer = _lexer(language.lower()) if len(portion) <= PORTION else None
    return str(highlight(portion, lexer, _formatter)) if lexer else escape(portion)


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False) if language else None
    except ClassNotFound:
        return None

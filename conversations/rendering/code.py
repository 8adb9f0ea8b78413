"""Blocks of code: a figure with its language, a copy button and, once closed, Pygments' classes. Never a style attribute."""

from functools import lru_cache
from html import escape

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

HIGHLIGHT_LIMIT = 60_000  # characters: about 0.2 s of Pygments; a longer block stays plain
SMALL = 4_000
_formatter = HtmlFormatter(nowrap=True)


def figure(info: str, source: str) -> str:
    """Return the block as HTML; `info` is what stood behind the opening fence."""
    words = info.split(maxsplit=1)
    language = words[0] if words else ""
    return frame(language, highlighted(language, source) if len(source) <= HIGHLIGHT_LIMIT else escape(source))


def frame(language: str, code: str) -> str:
    """Return the figure around code that is HTML already."""
    label = f'<span class="language">{escape(language[:40])}</span>' if language else ""
    button = '<button type="button" data-copy="code">Copy code</button>'
    caption = f"<figcaption>{label}{button}</figcaption>"
    return f'<figure class="code">{caption}<pre tabindex="0"><code>{code}</code></pre></figure>'


def highlighted(language: str, source: str) -> str:
    """Return the source with a span per token; the caches hold at most about 25 MB."""
    return (_small if len(source) <= SMALL else _large)(language.lower(), source)


def _highlight(language: str, source: str) -> str:
    lexer = _lexer(language)
    if lexer is None:
        return escape(source)
    return str(highlight(source, lexer, _formatter))


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False) if language else None
    except ClassNotFound:
        return None


_small = lru_cache(maxsize=512)(_highlight)
_large = lru_cache(maxsize=16)(_highlight)

"""The part of a text in which a search found something, with what it found marked. The text is hostile: all of it is escaped.

What is marked is found here anew, by the rules of the index: accents and case do not count, words are whole but for the last one typed.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from html import escape

from django.utils.safestring import SafeString, mark_safe

from conversations.models.search_terms import UNSPACED, Term

LENGTH = 240  # characters
BEFORE = 70  # of them, those in front of the first that was found
LOOKED_AT = 8_000  # of a text; what stands behind them is found, but not shown
WORD_START, WORD_END = rf"(?<![^\W_{UNSPACED}])", rf"(?![^\W_{UNSPACED}])"
LATIN_TO_CYRILLIC = (*range(0xC0, 0x530), *range(0x1E00, 0x2000))
MARKS = "[\u0300-\u036f]*+"  # they are no letters, so what stands between words would take them, too: one way through each run only
_SPACE = re.compile(r"\s")
_MARKDOWN = re.compile(r"^ *\|?[-:| ]{3,}$|\*\*|~~|```\w*|`|^ *(?:#{1,6} |> |[-*+] |\|)|\|[ \t]*$", re.M)


def snippet(text: str, terms: Sequence[Term]) -> SafeString:
    """Return a line or two of the text around what was found first, as HTML with <mark>; its beginning if that is not found."""
    pattern = pattern_of(terms)
    first = pattern.search(text, 0, LOOKED_AT) if pattern else None
    start = _word_start(text, max(0, first.start() - BEFORE), first.start()) if first else 0
    # Once it is on one line, without the marks of Markdown, it is shorter.
    shown = " ".join(_MARKDOWN.sub(" ", text[start : start + 2 * LENGTH]).split())
    end = len(shown) if len(shown) <= LENGTH else shown.rfind(" ", LENGTH // 2, LENGTH) + 1 or LENGTH
    is_cut = end < len(shown) or start + 2 * LENGTH < len(text)
    return mark_safe(("… " if start else "") + marked(shown[:end].rstrip(), pattern) + (" …" if is_cut else ""))  # noqa: S308 - escaped


def highlight(text: str, terms: Sequence[Term]) -> SafeString:
    """Return the whole text as HTML with <mark>."""
    return mark_safe(marked(text, pattern_of(terms)))  # noqa: S308 - escaped


def marked(text: str, pattern: re.Pattern[str] | None) -> str:
    return "".join(_marked(text, pattern)) if pattern else escape(text)


def _marked(text: str, pattern: re.Pattern[str]) -> Iterator[str]:
    place = 0
    for match in pattern.finditer(text):
        yield f"{escape(text[place : match.start()])}<mark>{escape(match[0])}</mark>"
        place = match.end()
    yield escape(text[place:])


def pattern_of(terms: Sequence[Term]) -> re.Pattern[str] | None:
    """Return what finds any of the terms in a text as it was written."""
    parts = [part for term in terms if (part := _part(term))]
    return re.compile("|".join(parts), re.I) if parts else None


def _part(term: Term) -> str:
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", "".join(_folded(term.text))))
    joined = r"[\W_]++".join("".join(_letter(letter) for letter in word) for word in words)
    if term.is_run or not joined:
        return joined
    return WORD_START + joined + ("" if term.is_beginning else WORD_END)


def _folded(text: str) -> Iterator[str]:
    return (letter for letter in unicodedata.normalize("NFKD", text) if not "\u0300" <= letter <= "\u036f")


def _letter(letter: str) -> str:
    variants = _variants().get(letter.lower(), "")
    return f"[{letter}{variants}]{MARKS}" if variants else re.escape(letter) + (MARKS if letter.isalpha() else "")


@cache
def _variants() -> dict[str, str]:
    """By letter, those that are it with an accent."""
    result: dict[str, str] = {}
    for letter in map(chr, LATIN_TO_CYRILLIC):
        base = "".join(_folded(letter)).lower()
        if len(base) == 1 and base != letter:
            result[base] = result.get(base, "") + letter
    return result


def _word_start(text: str, place: int, end: int) -> int:
    """Return where the first whole word behind a place begins, if one does before `end`."""
    space = _SPACE.search(text, place, end) if place else None
    return space.end() if space else place

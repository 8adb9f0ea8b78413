"""What a person typed into the search box, as terms to look for. Anything may be typed: nothing of it is an error.

`"words in a row"`, `-without`, and the last word is the beginning of one, because it may still be being typed. Scripts that put no spaces
between words (Chinese, Japanese, Thai, and Korean with its particles) are looked for as runs of characters, anywhere.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Self

MOST_CHARACTERS = 1_000  # of what was typed; the rest is not looked at
MOST_TERMS = 16
SHORTEST_BEGINNING = 2  # characters; a single one begins too many words

UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7a3"
    "\uf900-\ufaff\U00020000-\U000323af"
)
_TYPED = re.compile(r'(?P<minus>[-−–]?)(?:["“”„«»](?P<phrase>[^"“”„«»]*)(?P<end>["“”„«»]|$)|(?P<word>[^\s"“”„«»]+))')
_PARTS = re.compile(f"(?P<run>[{UNSPACED}]+)|(?P<words>[^{UNSPACED}]+)")
_LETTER = re.compile(r"[^\W_]")


class TooSlow(Exception):
    """The database gave up on a search."""


@dataclass(frozen=True, slots=True)
class Term:
    """Words in a row, or a run of characters in a script without spaces."""

    text: str
    is_run: bool = False
    is_beginning: bool = False
    is_excluded: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    wanted: tuple[Term, ...]
    excluded: tuple[Term, ...]

    @classmethod
    def of(cls, typed: str) -> Self:
        typed = _without_what_is_no_text(typed[:MOST_CHARACTERS])
        found = [term for match in _TYPED.finditer(typed) for term in _terms_of(match, is_last=match.end() == len(typed))][:MOST_TERMS]
        return cls(tuple(term for term in found if not term.is_excluded), tuple(term for term in found if term.is_excluded))

    def as_beginnings(self) -> Self:
        """Return them with each word as the beginning of one: for few and short texts, such as titles."""
        wanted = (replace(term, is_beginning=not term.is_run and len(term.text) >= SHORTEST_BEGINNING) for term in self.wanted)
        return replace(self, wanted=tuple(wanted))

    def __bool__(self) -> bool:
        """Whether there is anything to look for; what must not be there alone says too little."""
        return bool(self.wanted)


def _without_what_is_no_text(typed: str) -> str:
    """Return it composed, without NUL and halves of characters, which no database takes."""
    return unicodedata.normalize("NFC", "".join(" " if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in typed))


def _terms_of(match: re.Match[str], *, is_last: bool) -> list[Term]:
    text = match["word"] or match["phrase"] or ""
    is_open = is_last and not match["end"] and not match["minus"]
    parts = [part for part in _PARTS.finditer(text) if _LETTER.search(part[0])]
    return [
        Term(
            part[0].strip(),
            is_run=part.lastgroup == "run",
            is_beginning=is_open and part is parts[-1] and part.lastgroup == "words" and len(part[0].split()[-1]) >= SHORTEST_BEGINNING,
            is_excluded=bool(match["minus"]),
        )
        for part in parts
    ]

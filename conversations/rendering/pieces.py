r"""Cuts Markdown into its top-level pieces, one complete line at a time, so that whatever is finished is never parsed again.

A piece is a block of CommonMark, or a few that nothing separates for sure; never less than a block. What a line decides
depends on the lines before it only, so the cuts are the same however the text arrives. It renders nothing.
"""

import re
from dataclasses import dataclass, field
from enum import Enum, auto

from .lines import MARKER, QUOTE, indent_of, indent_of_item, is_blank
from .rawhtml import begins_raw_html

_UNSAFE = re.compile("[\x00\ud800-\udfff]")
_LINE_ENDS = re.compile(r"\r\n?")

_FENCE = re.compile(r" {0,3}(?:(`{3,})([^`]*)|(~{3,})(.*))$")
_HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]|$)")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*$")
_QUOTE_ONLY = re.compile(r" {0,3}(?:>[ \t]*)+$")
_MARKER_ONLY = re.compile(r"[ \t]*(?:[-+*]|[0-9]{1,9}[.)])[ \t]*$")
_NOTE = re.compile(r" {0,3}\[\^[^\]\s]+\]:")
_DELIMITERS = re.compile(r" {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-*:?[ \t]*)*$")
_PIPE = re.compile(r"(?<!\\)\|")
_UNDECIDED = re.compile(r"(?:[-=*+_#>~`|:$\\\[\]( \t]*|[ \t]*[0-9]{1,9}[.)]?[ \t]*| {0,3}(?:```|~~~).*)$")
_MATH_OPEN = re.compile(r" {0,3}(\$\$|\\\[)[ \t]*$")
CUT_AT = 16_384  # characters of a paragraph; the lines behind them are a paragraph of their own, so that none is parsed again for ever


class Kind(Enum):
    PARAGRAPH = auto()
    HEADING = auto()
    RULE = auto()
    CODE = auto()
    INDENTED = auto()
    HTML = auto()
    QUOTE = auto()
    LIST = auto()
    TABLE = auto()
    NOTE = auto()
    MATH = auto()


def normalise(text: str) -> str:
    """Return the text with LF line ends only and without what no parser takes (NUL, lone surrogates)."""
    if "\r" in text:
        text = _LINE_ENDS.sub("\n", text)
    return _UNSAFE.sub("\ufffd", text)


def is_undecided(start: str) -> bool:
    """Whether the start of a line may still become anything: shown too early, "-" would make a heading of the line above."""
    return len(start) < 200 and _UNDECIDED.match(start) is not None


@dataclass(slots=True)
class Piece:
    """A run of whole lines; `is_closed` once no further line can belong to it."""

    kind: Kind
    lines: list[str] = field(default_factory=list)
    is_closed: bool = False
    after_blank: bool = False
    size: int = 0  # characters; of a list: of its current item
    fence: str = ""  # of code: the characters that opened it
    indent: int = 0  # of code: of its fence; of a list: of the current item's content
    marker: str = ""  # of a list: the character that tells it from another list
    end: re.Pattern[str] | None = None  # of raw HTML: what ends it; None is a blank line
    items: list[int] = field(default_factory=list)  # of a list: the lines its items begin at

    @property
    def source(self) -> str:
        return "\n".join(self.lines) + "\n"

    @property
    def info(self) -> str:
        """What stands behind the opening fence."""
        return self.lines[0].strip(" \t").lstrip(self.fence[0]).strip(" \t")


def begin(line: str) -> Piece:
    """Return the piece that a line begins; the line is in it."""
    piece = _opened(line)
    _add(piece, line)
    return piece


def _opened(line: str) -> Piece:
    if indent_of(line) >= 4:
        return Piece(Kind.INDENTED)
    if fence := _FENCE.match(line):
        return Piece(Kind.CODE, fence=fence[1] or fence[3], indent=indent_of(line))
    if _HEADING.match(line):
        return Piece(Kind.HEADING)
    if _RULE.match(line):
        return Piece(Kind.RULE)
    if QUOTE.match(line):
        return Piece(Kind.QUOTE)
    if marker := MARKER.match(line):
        return Piece(Kind.LIST, marker=marker[4] or marker[2])
    if _MATH_OPEN.match(line):
        return Piece(Kind.MATH)
    if _NOTE.match(line):
        return Piece(Kind.NOTE)
    is_html, end = begins_raw_html(line)
    return Piece(Kind.HTML, end=end) if is_html else Piece(Kind.PARAGRAPH)


def takes(piece: Piece, line: str) -> bool:
    """Whether the next line belongs to the piece (or may: then the piece is rendered as more than one block)."""
    if is_blank(line):
        return True
    match piece.kind:
        case Kind.CODE | Kind.HTML | Kind.MATH:
            return True
        case Kind.INDENTED:
            return indent_of(line) >= 4
        case Kind.LIST:
            return _list_takes(piece, line)
        case Kind.NOTE:
            return indent_of(line) >= 4 or not (piece.after_blank or _NOTE.match(line) or _interrupts(line, any_item=True))
        case Kind.QUOTE:
            is_lazy = not _QUOTE_ONLY.match(piece.lines[-1])  # an empty quote has no paragraph to go on
            return bool(QUOTE.match(line)) or (is_lazy and not _interrupts(line, any_item=True))
        case Kind.TABLE:
            return not _interrupts(line, any_item=True)
        case _:
            return bool(_UNDERLINE.match(line)) or not _interrupts(line)


def _list_takes(piece: Piece, line: str) -> bool:
    if _is_in_item(piece, line) or begins_item(piece, line):
        return True
    is_lazy = not piece.after_blank and not _MARKER_ONLY.match(piece.lines[-1])  # an empty item has no paragraph to go on
    return is_lazy and not _interrupts(line, any_item=True)


def _is_in_item(piece: Piece, line: str) -> bool:
    """Whether the line is indented as the current item's content; a blank line ends an item that is empty so far."""
    first = piece.items[-1]
    is_over = piece.after_blank and _MARKER_ONLY.match(piece.lines[first]) and is_blank(piece.lines[first + 1])
    return indent_of(line) >= piece.indent and not is_over


def begins_item(piece: Piece, line: str) -> bool:
    """Whether the line begins a further item of the list."""
    if _is_in_item(piece, line) or indent_of(line) >= 4 or _RULE.match(line):
        return False
    marker = MARKER.match(line)
    return bool(marker) and (marker[4] or marker[2]) == piece.marker  # type: ignore[index]


def _interrupts(line: str, *, any_item: bool = False) -> bool:
    """Whether the line ends a paragraph. `any_item`: of a quote or list it ends, any item does; else one with content and number 1."""
    if indent_of(line) >= 4:
        return False
    if _FENCE.match(line) or _HEADING.match(line) or _RULE.match(line) or QUOTE.match(line) or _MATH_OPEN.match(line):
        return True
    if marker := MARKER.match(line):
        return any_item or (marker[5] is not None and (marker[3] is None or int(marker[3]) == 1))
    return begins_raw_html(line, interrupting=True)[0]


def _add(piece: Piece, line: str) -> None:
    piece.lines.append(line)
    piece.size += len(line) + 1
    blank = is_blank(line)
    match piece.kind:
        case Kind.CODE:
            piece.is_closed = len(piece.lines) > 1 and _ends_code(piece, line)
        case Kind.HTML:
            piece.is_closed = bool(piece.end.search(line)) if piece.end else blank
        case Kind.LIST if not blank:
            _add_to_list(piece, line)
        case Kind.MATH:
            piece.is_closed = blank or (len(piece.lines) > 1 and line.rstrip(" \t").endswith(("$$", "\\]")))
        case Kind.HEADING | Kind.RULE:
            piece.is_closed = True
        case Kind.PARAGRAPH:
            piece.is_closed = blank or piece.size > CUT_AT
        case Kind.QUOTE | Kind.TABLE:
            piece.is_closed = blank
    piece.after_blank = blank


def _ends_code(piece: Piece, line: str) -> bool:
    marks = line.strip(" \t")
    return indent_of(line) < 4 and len(marks) >= len(piece.fence) and not marks.strip(piece.fence[0])


def _add_to_list(piece: Piece, line: str) -> None:
    if piece.items and not begins_item(piece, line):
        return
    piece.items.append(len(piece.lines) - 1)
    piece.size = len(line) + 1
    piece.indent = indent_of_item(line)


class Splitter:
    """Takes complete lines and hands back the pieces they close; `piece` is the one still open."""

    def __init__(self) -> None:
        self.piece: Piece | None = None

    def push(self, line: str) -> list[Piece]:
        closed: list[Piece] = []
        if self.piece is None:
            self.piece = None if is_blank(line) else begin(line)
        elif takes(self.piece, line):
            _add(self.piece, line)
            closed += self._part_before_table(self.piece)
        else:
            closed.append(self.piece)
            self.piece = begin(line)
        if self.piece is not None and self.piece.is_closed:
            closed.append(self.piece)
            self.piece = None
        return closed

    def finish(self) -> list[Piece]:
        """Return what is open as closed."""
        piece, self.piece = self.piece, None
        return [piece] if piece else []

    def _part_before_table(self, piece: Piece) -> list[Piece]:
        """Make a table of the last two lines of a paragraph, if they are a header and its delimiters."""
        if piece.kind is not Kind.PARAGRAPH or len(piece.lines) < 2 or not _begins_table(*piece.lines[-2:]):
            return []
        self.piece = Piece(Kind.TABLE, piece.lines[-2:])
        return [Piece(Kind.PARAGRAPH, piece.lines[:-2], is_closed=True)] if len(piece.lines) > 2 else []


def _begins_table(header: str, delimiters: str) -> bool:
    if "|" not in header or "|" not in delimiters or not _DELIMITERS.match(delimiters) or indent_of(header) >= 4:
        return False
    return _cells(header) == _cells(delimiters)


def _cells(row: str) -> int:
    inner = row.strip(" \t")
    pipes = len(_PIPE.findall(inner))
    return pipes + 1 - inner.startswith("|") - (pipes > 1 and inner.endswith("|") and not inner.endswith("\\|"))


def split(text: str) -> list[Piece]:
    """Return the pieces of a whole, normalised text."""
    splitter = Splitter()
    pieces = [piece for line in text.removesuffix("\n").split("\n") for piece in splitter.push(line)]
    return pieces + splitter.finish()

"""The piece that is still open, as the page shows it: its elements, and for code, lists and tables the parts of one element.

A part that is finished is never rendered again, so a frame costs the same in line 20 and in line 2,000. What has no parts
(a giant paragraph, a quote) is rendered whole: LiveMarkdown does that less often the longer it gets.
"""

from collections.abc import Sequence
from html import escape

from .markdown import References, render_item, render_open_code, render_piece, render_rows, render_source
from .pieces import Kind, Piece, begins_item, indent_of, is_undecided, takes
from .sanitise import clean

NEXT = "<p hidden></p>"  # stands where the next block will begin, so that it can be put there without touching the last one
LINE_LIMIT = 1024  # characters of an unfinished line of code that are sent again


class Growing:
    """A piece shown whole. `elements` are top-level; there is always at least one."""

    path: tuple[str, ...] | None = None  # from the element that has parts to the parent of the parts

    def __init__(self, piece: Piece | None) -> None:
        self.piece = piece
        self.kind = piece.kind if piece else None
        self.parts: list[str] = []
        self.tail: list[str] = []
        self.elements: list[str] = [NEXT]

    def is_of(self, piece: Piece | None) -> bool:
        return piece is self.piece and self.kind is (piece.kind if piece else None)

    def size(self, line: int) -> int:
        """Characters that a frame has to render, with `line` of them in the unfinished line."""
        return line + (self.piece.size if self.piece else 0)

    def take_lines(self, references: References) -> bool:
        """Make parts of what complete lines have finished; say whether there were any."""
        return False

    def take_line_start(self, chunks: Sequence[str], references: References) -> None:
        """Show the unfinished line, too."""
        start = "".join(chunks)
        source = (self.piece.source if self.piece else "") + ("" if is_undecided(start) else start)
        if self.kind is Kind.MATH:
            self.elements = [clean(f'<p><code class="math">{escape(source)}</code></p>')]
        else:
            self.elements = (render_source(source, references) if source else []) or [NEXT]

    def finish(self, references: References) -> None:
        """No further line comes."""

    def root(self) -> str:
        """Return the element that has parts."""
        return ""

    def roots(self) -> list[str]:
        return self.elements


class GrowingParts(Growing):
    """A piece that is one element with parts, and behind it what may be the next block."""

    path: tuple[str, ...] | None = ()

    def __init__(self, piece: Piece, opening: str, closing: str) -> None:
        super().__init__(piece)
        self.lines = piece.lines
        self.opening, self.closing = opening, closing

    def root(self) -> str:
        return "".join([self.opening, *self.parts, *self.tail, self.closing])

    def roots(self) -> list[str]:
        return [self.root(), *self.elements]


class GrowingCode(GrowingParts):
    """Code: a <span> of plain text per frame. Its colours come when it is closed and shown anew."""

    path = ("pre", "code")

    def __init__(self, piece: Piece) -> None:
        opening, closing = render_open_code(piece.info).split("</code>")
        super().__init__(piece, opening, f"</code>{closing}")
        self._indent = piece.indent
        self._done = 1  # lines
        self._shown = 0  # characters of the line behind them
        self._chunks = 0

    def size(self, line: int) -> int:
        return 0

    def take_lines(self, references: References) -> bool:
        new = self.lines[self._done :]
        if not new:
            return False
        lines = [self._content(line) if number or not self._shown else line[self._shown :] for number, line in enumerate(new)]
        self.parts.append(_span("\n".join(lines) + "\n"))
        self._done, self._shown, self._chunks = len(self.lines), 0, 0
        return True

    def take_line_start(self, chunks: Sequence[str], references: References) -> None:
        start = "".join(chunks[self._chunks :])
        shown = start if self._shown else self._content(start)
        if not self._shown and not shown.strip("`~ \t"):
            shown = ""  # may become the end of the block
        if len(shown) <= LINE_LIMIT:
            self.tail = [_span(shown)]
            return
        self.parts.append(_span(shown))
        self.tail = [_span("")]
        self._shown, self._chunks = self._shown + len(start), len(chunks)

    def _content(self, line: str) -> str:
        return line[min(self._indent, indent_of(line[: self._indent])) :]


class GrowingList(GrowingParts):
    """A list: an <li> per item; the last one is open."""

    def __init__(self, piece: Piece, references: References) -> None:
        behind = piece.items[1] if len(piece.items) > 1 else None
        opening, _ = render_item(_source(piece.lines[:behind]), references)
        super().__init__(piece, opening, f"</{opening[1:3]}>")
        self._list = piece
        self._next = 0  # item

    def take_lines(self, references: References) -> bool:
        before = self._next
        while self._next < len(self._list.items) - 1:
            first, behind = self._list.items[self._next : self._next + 2]
            self._take(self.lines[first:behind], references)
        return self._next > before

    def _take(self, lines: list[str], references: References) -> None:
        self.parts.append(render_item(_source(lines), references)[1])
        self._next += 1

    def take_line_start(self, chunks: Sequence[str], references: References) -> None:
        start = "".join(chunks)
        last = _source(self.lines[self._list.items[-1] :])
        self.elements = [NEXT]
        if not start or is_undecided(start):
            self.tail = [render_item(last, references)[1]]
        elif begins_item(self._list, start):
            self.tail = [render_item(last, references)[1], render_item(start, references)[1]]
        elif takes(self._list, start):
            self.tail = [render_item(last + start, references)[1]]
        else:
            self.tail = [render_item(last, references)[1]]
            self.elements = render_source(start, references) or [NEXT]

    def finish(self, references: References) -> None:
        self.take_lines(references)
        self._take(self.lines[self._list.items[-1] :], references)
        self.tail = []


class GrowingTable(GrowingParts):
    """A table: a <tr> per row, each rendered below the header it belongs to."""

    path = ("table", "tbody")

    def __init__(self, piece: Piece, opening: str, closing: str) -> None:
        super().__init__(piece, opening, closing)
        self._header = _source(piece.lines[:2])
        self._done = 2  # lines

    def size(self, line: int) -> int:
        return line

    def take_lines(self, references: References) -> bool:
        new = self.lines[self._done :]
        if new:
            self.parts += render_rows(self._header, _source(new), references)[0]
            self._done = len(self.lines)
        return bool(new)

    def take_line_start(self, chunks: Sequence[str], references: References) -> None:
        start = "".join(chunks)
        self.tail, behind = ([], []) if not start or is_undecided(start) else render_rows(self._header, start, references)
        self.elements = behind or [NEXT]

    def finish(self, references: References) -> None:
        self.take_lines(references)
        self.tail = []


def grow(piece: Piece | None, references: References) -> Growing:
    """Return how a piece is shown while it is open."""
    if piece and piece.kind is Kind.CODE:
        return GrowingCode(piece)
    if piece and piece.kind is Kind.LIST:
        return GrowingList(piece, references)
    if piece and piece.kind is Kind.TABLE:
        opening, body, closing = "".join(render_source(_source(piece.lines[:2]), references)).partition("</tbody>")
        return GrowingTable(piece, opening, body + closing) if body else Growing(piece)
    return Growing(piece)


def render_closed(piece: Piece, references: References) -> list[str]:
    """Return the final blocks of a piece."""
    references.collect(piece)
    return render_piece(piece, references)


def _source(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _span(text: str) -> str:
    return clean(f"<span>{escape(text, quote=False)}</span>")

"""The piece that is still open, as the page shows it: whole, or as one element with parts (code, tables; nesting.py has the rest).

A part that is finished is never rendered again, so a frame costs the same in line 20 and in line 2,000. What has no parts
(a paragraph) is rendered whole: LiveMarkdown does that less often the longer it gets, and pieces.py cuts it.
"""

from collections.abc import Sequence
from html import escape

from . import code
from .lines import indent_of
from .markdown import References, render_open_code, render_rows, render_source
from .pieces import Kind, Piece, is_undecided
from .sanitise import clean

LINE_LIMIT = 1024  # characters of an unfinished line of code that are sent again


class Growing:
    """A piece shown whole, as blocks of the element it stands in."""

    path: tuple[str, ...] | None = None  # from the element that has parts to the parent of the parts

    def __init__(self, piece: Piece | None, references: References) -> None:
        self.piece, self.references = piece, references
        self.kind = piece.kind if piece else None

    def is_of(self, piece: Piece | None) -> bool:
        return piece is self.piece and self.kind is (piece.kind if piece else None)

    def size(self, line: int) -> int:
        """Characters that a frame has to render, with `line` of them in the unfinished line."""
        return line + (self.piece.size if self.piece else 0)

    def take_lines(self) -> bool:
        """Make parts of what complete lines have finished; say whether anything changed."""
        return False

    def show(self, chunks: Sequence[str]) -> list[str]:
        """Show the unfinished line, too; return the blocks that stand behind the element with parts."""
        start = "".join(chunks)
        source = (self.piece.source if self.piece else "") + ("" if is_undecided(start) else start)
        if self.kind is Kind.MATH:
            return [clean(f'<p><code class="math">{escape(source)}</code></p>')]
        return render_source(source, self.references) if source else []

    def finish(self) -> None:
        """No further line comes."""


class GrowingParts(Growing):
    """One element: what stands in it from the start, its finished parts, one that grows itself, and what is rendered again."""

    path: tuple[str, ...] | None = ()

    def __init__(self, piece: Piece | None, references: References, opening: str, closing: str) -> None:
        super().__init__(piece, references)
        self.opening, self.closing = opening, closing
        self.before = 0  # elements that stand before the parts
        self.parts: list[str] = []
        self.tail: list[str] = []

    @property
    def inner(self) -> "GrowingParts | None":
        return None

    def children(self, start: int = 0) -> list[str]:
        return [*self.parts[start:], *([self.inner.root()] if self.inner else []), *self.tail]

    def root(self) -> str:
        return "".join([self.opening, *self.children(), self.closing])


class GrowingCode(GrowingParts):
    """Code: a <span> of plain text per frame. Its colours come when it is closed and shown anew."""

    path = ("pre", "code")

    def __init__(self, piece: Piece, references: References) -> None:
        opening, closing = render_open_code(piece.info).split("</code>")
        super().__init__(piece, references, opening, f"</code>{closing}")
        self.lines, self._indent = piece.lines, piece.indent
        self._language, self._portioner = code.language_of(piece.info), code.Portioner()
        self._done = 1  # lines
        self._shown = 0  # characters of the line behind them
        self._chunks = 0

    def size(self, line: int) -> int:
        return 0

    def take_lines(self) -> bool:
        new = self.lines[self._done :]
        if not new:
            return False
        lines = [self._content(line) if number or not self._shown else line[self._shown :] for number, line in enumerate(new)]
        for line in new:
            code.colour_ahead(self._language, self._portioner, self._content(line))
        self.parts.append(_span("\n".join(lines) + "\n"))
        self._done, self._shown, self._chunks = len(self.lines), 0, 0
        return True

    def show(self, chunks: Sequence[str]) -> list[str]:
        start = "".join(chunks[self._chunks :])
        shown = start if self._shown else self._content(start)
        if not self._shown and not shown.strip("`~ \t"):
            shown = ""  # may become the end of the block
        self.tail = [_span(shown)]
        if len(shown) > LINE_LIMIT:
            self.parts.append(_span(shown))
            self.tail = [_span("")]
            self._shown, self._chunks = self._shown + len(start), len(chunks)
        return []

    def _content(self, line: str) -> str:
        return line[min(self._indent, indent_of(line[: self._indent])) :]


class GrowingTable(GrowingParts):
    """A table: a <tr> per row, each rendered below the header it belongs to."""

    path = ("table", "tbody")

    def __init__(self, piece: Piece, references: References, opening: str, closing: str) -> None:
        super().__init__(piece, references, opening, closing)
        self.lines = piece.lines
        self._header = source_of(piece.lines[:2])
        self._done = 2  # lines

    def size(self, line: int) -> int:
        return line

    def take_lines(self) -> bool:
        new = self.lines[self._done :]
        for line in new:
            rows, _ = render_rows(self._header, f"{line}\n", self.references)
            self.parts += rows or ([f"<tr><td>{escape(line)}</td></tr>"] if line.strip() else [])
        self._done = len(self.lines)
        return bool(new)

    def show(self, chunks: Sequence[str]) -> list[str]:
        start = "".join(chunks)
        self.tail, behind = ([], []) if not start or is_undecided(start) else render_rows(self._header, start, self.references)
        return behind

    def finish(self) -> None:
        self.take_lines()
        self.tail = []


def source_of(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _span(text: str) -> str:
    return clean(f"<span>{escape(text, quote=False)}</span>")

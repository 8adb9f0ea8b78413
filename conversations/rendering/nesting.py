"""Blocks that hold blocks while they arrive: the answer itself, quotes, lists and their items, each cut like the answer is.

So the last line of a list in an item of a list is a part of that list, and costs what it would cost at the top. What is
large when it closes (LARGE) stays as it was put together; all else is parsed once more as a whole, which is exact where
the cuts are not: lazy lines.
"""

from collections.abc import Sequence

from .growing import Growing, GrowingCode, GrowingParts, GrowingTable, source_of
from .lines import indent_of, indent_of_item, is_blank, is_quoted, start_without_indent, unquoted, without_indent, without_marker
from .markdown import References, is_plain, render_item, render_piece, render_source
from .pieces import Kind, Piece, Splitter, begins_item, is_undecided, takes
from .sanitise import count_elements

NEXT = "<p hidden></p>"  # stands where the next block will begin, so that it can be put there without touching the last one
LARGE = 16_384  # characters: about 3 ms of rendering
DEPTH_LIMIT = 8  # of quotes and items that grow by parts; deeper ones are shown whole


class GrowingBlocks(GrowingParts):
    """An element of blocks: its parts are closed, behind them the open one grows or is rendered again."""

    def __init__(self, piece: Piece | None, references: References, depth: int, opening: str = "", closing: str = "") -> None:
        super().__init__(piece, references, opening, closing)
        self.depth = depth
        self.tail = [NEXT]
        self.splitter = Splitter()
        self._growing = Growing(None, references)
        self._has_news = False

    @property
    def inner(self) -> GrowingParts | None:
        return self._growing if isinstance(self._growing, GrowingParts) else None

    def size(self, line: int) -> int:
        return self._growing.size(line)

    def push(self, line: str) -> None:
        """Take a complete line."""
        for piece in self.splitter.push(line):
            self._close(piece)

    def _close(self, piece: Piece) -> None:
        growing = self._growing if self._growing.piece is piece else None
        if growing:
            growing.finish()
        self.take(piece, render_closed(piece, self.references, self.depth, growing))
        self._has_news = True

    def take(self, piece: Piece, blocks: list[str]) -> None:
        self.parts += blocks

    def take_lines(self) -> bool:
        has_news, self._has_news = self._has_news, False
        piece = self.splitter.piece
        if not self._growing.is_of(piece):
            self._growing, has_news = grow(piece, self.references, self.depth), True
        has_news |= self._growing.take_lines()
        if isinstance(self._growing, GrowingQuote) and self._growing.is_lazy:
            self._growing, has_news = Growing(piece, self.references), True
        return has_news

    def show(self, chunks: Sequence[str]) -> list[str]:
        self.tail = self._growing.show(chunks) or [NEXT]
        return []

    def finish(self) -> None:
        for piece in self.splitter.finish():
            self._close(piece)
        self._growing, self.tail = Growing(None, self.references), []


class GrowingQuote(GrowingBlocks):
    """A quote, until a line without its mark comes: only the parser knows where that belongs."""

    def __init__(self, piece: Piece, references: References, depth: int) -> None:
        first = f"{piece.lines[0]}\n"
        opening = "".join(render_source(f"{first}> x\n", references)).partition(">")[0] + ">"
        super().__init__(piece, references, depth + 1, opening, "</blockquote>")
        self.lines, self._quote = piece.lines, piece
        self._done = int("alert" in opening)  # lines
        self.is_lazy = not opening.startswith("<blockquote")

    def take_lines(self) -> bool:
        for line in self.lines[self._done :]:
            self.is_lazy |= not is_quoted(line)
            if not is_blank(line):
                self.push(unquoted(line))
        self._done = max(self._done, len(self.lines))
        return super().take_lines()

    def show(self, chunks: Sequence[str]) -> list[str]:
        start = "".join(chunks)
        if start and not is_undecided(start) and not takes(self._quote, start):
            super().show([])
            return render_source(start, self.references)
        super().show([unquoted(start)])
        return []

    def finish(self) -> None:
        self.take_lines()
        super().finish()


class GrowingItem(GrowingBlocks):
    """An item of a list. What it begins with stands bare in it, before its parts."""

    def __init__(self, line: str, references: References, depth: int) -> None:
        super().__init__(None, references, depth + 1, "<li>", "</li>")
        self.indent = indent_of_item(line)
        self.is_lazy = depth >= DEPTH_LIMIT
        self._has_lead = False
        self.push(without_marker(line))

    def push(self, line: str) -> None:
        if not self.is_lazy:
            super().push(line)

    def take_lines(self) -> bool:
        return not self.is_lazy and super().take_lines()

    @property
    def has_parts(self) -> bool:
        """Whether there is more than the one paragraph it began with."""
        piece = self.splitter.piece
        is_further = piece is not None and (self._has_lead or piece.kind is not Kind.PARAGRAPH)
        return not self.is_lazy and (bool(self.parts) or is_further)

    def add(self, line: str) -> None:
        self.is_lazy |= indent_of(line) < self.indent and not is_blank(line)
        self.push(without_indent(line, self.indent))

    def take(self, piece: Piece, blocks: list[str]) -> None:
        if self._has_lead or self.parts or piece.kind is not Kind.PARAGRAPH:
            self.parts += blocks
            return
        lead = render_item("- " + "\n  ".join(piece.lines) + "\n", self.references)[1].removesuffix("</li>")
        self._has_lead, self.opening, self.before = True, lead, count_elements(lead.partition(">")[2])

    def show(self, chunks: Sequence[str]) -> list[str]:
        return super().show(start_without_indent(chunks, self.indent))


class GrowingList(GrowingParts):
    """A list: an <li> per item; the last one is open, and grows by parts once it holds more than a paragraph."""

    def __init__(self, piece: Piece, references: References, depth: int) -> None:
        opening, _ = render_item(piece.lines[0][:100] + "\n", references)
        super().__init__(piece, references, opening, f"</{opening[1:3]}>")
        self._list, self.lines, self._depth = piece, piece.lines, depth
        self._done = self._begun = 1  # lines, items
        self._item = GrowingItem(piece.lines[0], references, depth)
        self._inner: GrowingItem | None = None

    @property
    def inner(self) -> GrowingParts | None:
        return self._inner

    def size(self, line: int) -> int:
        return line + (self._inner.size(0) if self._inner else self._list.size)

    def take_lines(self) -> bool:
        begun, before = self._begun, self._inner
        for number in range(self._done, len(self.lines)):
            if self._begun < len(self._list.items) and number == self._list.items[self._begun]:
                self._begin_item(number)
            else:
                self._item.add(self.lines[number])
        self._done = len(self.lines)
        has_news = self._item.take_lines()
        self._inner = self._item if self._item.has_parts else None
        return begun != self._begun or before is not self._inner or (has_news and self._inner is not None)

    def _begin_item(self, number: int) -> None:
        self._close_item(number)
        self._item, self._inner = GrowingItem(self.lines[number], self.references, self._depth), None
        self._begun += 1

    def _close_item(self, behind: int) -> None:
        source = source_of(self.lines[self._list.items[self._begun - 1] : behind])
        self._item.finish()
        is_put_together = len(source) > LARGE and self._item.has_parts
        self.parts.append(self._item.root() if is_put_together else render_item(source, self.references)[1])
        self._inner = None

    def show(self, chunks: Sequence[str]) -> list[str]:
        start = "".join(chunks)
        is_new = bool(start) and not is_undecided(start) and begins_item(self._list, start)
        is_ours = bool(start) and not is_undecided(start) and not is_new and takes(self._list, start)
        self.tail = []
        if self._inner:
            self._inner.show(chunks if is_ours else [])
        else:
            last = source_of(self.lines[self._list.items[-1] :])
            self.tail = [render_item(last + start if is_ours else last, self.references)[1]]
        if is_new:
            self.tail.append(render_item(start, self.references)[1])
        is_behind = start and not is_undecided(start) and not is_new and not is_ours
        return render_source(start, self.references) if is_behind else []

    def finish(self) -> None:
        self.take_lines()
        self._close_item(len(self.lines))
        self.tail = []


def grow(piece: Piece | None, references: References, depth: int) -> Growing:
    """Return how a piece is shown while it is open."""
    if piece and piece.kind is Kind.CODE:
        return GrowingCode(piece, references)
    if piece and piece.kind is Kind.LIST:
        return GrowingList(piece, references, depth)
    if piece and piece.kind is Kind.QUOTE and depth < DEPTH_LIMIT and is_quote(piece):
        return GrowingQuote(piece, references, depth)
    if piece and piece.kind is Kind.TABLE:
        opening, body, closing = "".join(render_source(source_of(piece.lines[:2]), references)).partition("</tbody>")
        return GrowingTable(piece, references, opening, body + closing) if body else Growing(piece, references)
    return Growing(piece, references)


def is_quote(piece: Piece) -> bool:
    """Whether the piece is a quote for sure: each line has its mark, and not a bomb of them."""
    return all(map(is_quoted, piece.lines)) and not is_plain(piece.lines[0])


def render_closed(piece: Piece, references: References, depth: int = 0, growing: Growing | None = None) -> list[str]:
    """Return the final blocks of a piece; `growing` is how it was shown, finished."""
    if piece.kind not in (Kind.LIST, Kind.QUOTE, Kind.TABLE) or sum(map(len, piece.lines)) <= LARGE:
        return render_piece(piece, references)
    if growing is None or references:  # of which some may not have been known when a part was finished
        growing = grow(piece, references, depth)
        growing.take_lines()
        growing.finish()
    if not isinstance(growing, GrowingParts) or (isinstance(growing, GrowingQuote) and growing.is_lazy):
        return render_piece(piece, references)
    return [growing.root()]

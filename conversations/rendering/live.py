"""An answer's Markdown while it arrives, told as patches of a page that each may be applied twice.

What is closed is sent once; a frame costs the same however long the answer is. The page holds the closed blocks and, behind
them, the elements of the open piece (growing.py). It never raises, whatever the text is.
"""

from collections.abc import Sequence
from typing import NamedTuple

from .growing import Growing, grow, render_closed
from .markdown import References, render_blocks
from .pieces import Piece, Splitter, normalise

RENDER_EACH = 4096  # characters of an open piece that are rendered in each frame; with n times as many, in each n-th


class Patch(NamedTuple):
    """One change. `path` leads from the answer's container: a number is a 1-based child, a name a child element; () is itself.

    `swap` is outerHTML, innerHTML or delete; the last number n of a delete means child n and all behind it. The targets of
    a frame are looked up before its first patch is applied; a missing one is no error.
    """

    path: tuple[int | str, ...]
    swap: str
    html: str


class _Told(NamedTuple):
    """What the last frame left in the page."""

    closed: int
    growing: Growing
    parts: int
    tail: list[str]
    elements: list[str]


class LiveMarkdown:
    """Feed it deltas; each `frame()` is what changed since the last one."""

    def __init__(self, references: References | None = None) -> None:
        self._fed: list[str] = []
        self._new: list[str] = []
        self._line: list[str] = []  # the unfinished line, in the chunks it came in
        self._line_size = 0
        self._splitter = Splitter()
        self._references = References() if references is None else references
        self._closed: list[str] = []
        self._growing = grow(None, self._references)
        self._frames_waited = 0
        self._told: _Told | None = None
        self._was_peeked = False
        self._is_finished = False
        self._repaired_from: int | None = None

    def feed(self, delta: str) -> None:
        """Take more text. After finish() it is too late and nothing happens."""
        if delta and not self._is_finished:
            self._fed.append(delta)
            self._new.append(delta)

    @property
    def text(self) -> str:
        """All text, as it was fed."""
        return "".join(self._fed)

    @property
    def closed(self) -> int:
        """How many top-level blocks are closed so far."""
        self._peek()
        return len(self._closed)

    def snapshot(self) -> str:
        """Return all that the container holds now."""
        self._peek()
        return "".join(self._all()) if self._fed else ""

    def since(self, closed: int) -> list[Patch]:
        """Return what brings a page that holds `closed` closed blocks, and any state of the open one, to the present."""
        self._peek()
        repaired = self._repaired_from is not None and closed > self._repaired_from
        if not 0 < closed <= len(self._closed) or repaired:
            return [Patch((), "innerHTML", self.snapshot())]
        return [Patch((closed + 1,), "delete", ""), Patch((closed,), "outerHTML", "".join(self._all()[closed - 1 :]))]

    def frame(self) -> list[Patch]:
        """Return what changed since the last frame."""
        self._advance()
        if not self._fed:
            return []
        patches = self._patches()
        self._tell()
        return patches

    def finish(self) -> list[Patch]:
        """Close what is open; the page then holds what render_document(text) returns."""
        if self._is_finished:
            return []
        self._advance(is_last=True)
        self._is_finished = True
        patches = (self._repair() or self._patches()) if self._fed else []
        self._tell()
        return patches

    # Taking text

    def _peek(self) -> None:
        """Advance for a reader of its own; pages that follow the frames may then be ahead of the last frame."""
        self._was_peeked |= bool(self._new)
        self._advance()

    def _advance(self, *, is_last: bool = False) -> None:
        if not self._new and not is_last:
            return
        for line in self._complete_lines(is_last=is_last):
            for piece in self._splitter.push(line):
                self._close(piece)
        for piece in self._splitter.finish() if is_last else []:
            self._close(piece)
        self._grow(is_last=is_last)

    def _complete_lines(self, *, is_last: bool) -> list[str]:
        new = "".join(self._new)
        self._new = []
        if new.endswith("\r") and not is_last:
            self._new, new = ["\r"], new[:-1]  # may be half a line end
        first, *rest = normalise(new).split("\n")
        self._line.append(first)
        self._line_size += len(first)
        if not rest and not (is_last and self._line_size):
            return []
        lines = ["".join(self._line), *rest]
        if is_last:
            self._line, self._line_size = [], 0
            return lines if lines[-1] else lines[:-1]
        self._line, self._line_size = [lines.pop()], len(rest[-1])
        return lines

    def _close(self, piece: Piece) -> None:
        if self._growing.piece is piece:
            self._growing.finish(self._references)
        self._closed += render_closed(piece, self._references)

    def _grow(self, *, is_last: bool) -> None:
        piece = self._splitter.piece
        is_new = not self._growing.is_of(piece)
        if is_new:
            self._growing = grow(piece, self._references)
        has_parts = self._growing.take_lines(self._references)
        self._frames_waited += 1
        if is_new or has_parts or self._frames_waited > self._growing.size(self._line_size) // RENDER_EACH:
            self._frames_waited = 0
            self._growing.take_line_start(self._line, self._references)
        if is_last:
            self._growing.elements = []

    # Telling

    def _all(self) -> list[str]:
        return self._closed + self._growing.roots()

    def _tell(self) -> None:
        growing = self._growing
        self._told = _Told(len(self._closed), growing, len(growing.parts), growing.tail, growing.elements)
        self._was_peeked = False

    def _patches(self) -> list[Patch]:
        told = self._told
        if told is None:
            return [Patch((), "innerHTML", "".join(self._all()))]
        now = self._closed[told.closed :] + ([] if told.growing is self._growing else self._growing.roots())
        if told.growing.path is None:
            return self._changes(told.closed, told.elements, now if told.growing is not self._growing else now + self._growing.elements)
        if told.growing is self._growing:
            return self._part_changes(told) + self._changes(told.closed + 1, told.elements, self._growing.elements)
        if now and now[0] == told.growing.root():
            return self._part_changes(told) + self._changes(told.closed + 1, told.elements, now[1:])
        return self._changes(told.closed, ["", *told.elements], now)

    def _part_changes(self, told: _Told) -> list[Patch]:
        growing = told.growing
        path: tuple[int | str, ...] = (told.closed + 1, *(growing.path or ()))
        last = growing.parts[told.parts - 1] if told.parts else ""
        return changes(path, told.parts, told.tail, growing.parts[told.parts :] + growing.tail, last, is_careful=self._was_peeked)

    def _changes(self, base: int, old: Sequence[str], new: Sequence[str]) -> list[Patch]:
        last = self._closed[base - 1] if 0 < base <= len(self._closed) else ""
        return changes((), base, old, new, last, is_careful=self._was_peeked)

    def _repair(self) -> list[Patch]:
        """Render again what references and footnotes may have changed after it was closed; [] if all is as it was told."""
        if not self._references:
            return []
        streamed, self._closed = self._closed, render_blocks(self.text)
        if streamed == self._closed:
            return []
        differing = [at for at, (old, new) in enumerate(zip(streamed, self._closed, strict=False)) if old != new]
        self._repaired_from = min([*differing, len(streamed), len(self._closed)])
        if self._told is None or len(streamed) != len(self._closed):
            return [Patch((), "innerHTML", "".join(self._closed))]
        earlier = [at for at in differing if at < self._told.closed]
        return [Patch((at + 1,), "outerHTML", self._closed[at]) for at in earlier] + self._patches()


def changes(
    path: tuple[int | str, ...], base: int, old: Sequence[str], new: Sequence[str], last: str, *, is_careful: bool = False
) -> list[Patch]:
    """Return patches that make the children behind the first `base` ones `new`, in a page where they are `old`.

    `last` is the child before them, "" if there is none. To be careful is to reach pages, too, that are ahead of `old`.
    """
    same = 0 if is_careful else _common(old, new)
    if same == len(new):
        return [Patch((*path, base + same + 1), "delete", "")] if len(old) > same or is_careful else []
    if len(old) == len(new) and not is_careful:
        return [Patch((*path, base + at + 1), "outerHTML", new[at]) for at in range(same, len(new)) if old[at] != new[at]]
    if same < len(old):
        first, html = base + same + 1, new[same:]
    elif same:
        first, html = base + same, new[same - 1 :]
    elif base and last:
        first, html = base, [last, *new]
    else:
        return [Patch(path, "innerHTML", "".join(new))]
    return [Patch((*path, first + 1), "delete", ""), Patch((*path, first), "outerHTML", "".join(html))]


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    """How many elements at the start are the same."""
    for at, (left, right) in enumerate(zip(old, new, strict=False)):
        if left != right:
            return at
    return min(len(old), len(new))

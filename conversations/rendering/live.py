"""An answer's Markdown while it arrives, told as patches of a page that each may be applied twice.

What is closed is sent once; a frame costs the same however long the answer is. The page holds the closed blocks and, behind
them, the open piece and what may be the next (nesting.py). It never raises, whatever the text is.
"""

from .markdown import References
from .patches import Patch, Told, patches, tell
from .pieces import normalise
from .whole import GrowingAnswer

RENDER_EACH = 4096  # characters of an open piece that are rendered in each frame; with n times as many, in each n-th


class LiveMarkdown:
    """Feed it deltas; each `frame()` is what changed since the last one."""

    def __init__(self, references: References | None = None) -> None:
        self._fed: list[str] = []
        self._new: list[str] = []
        self._line: list[str] = []  # the unfinished line, in the chunks it came in
        self._line_size = 0
        self._references = References() if references is None else references
        self._blocks = GrowingAnswer(self._references)
        self._frames_waited = 0
        self._told: Told | None = None
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
        return len(self._blocks.parts)

    def snapshot(self) -> str:
        """Return all that the container holds now."""
        self._peek()
        return self._blocks.root() if self._fed else ""

    def since(self, closed: int) -> list[Patch]:
        """Return what brings a page that holds `closed` closed blocks, and any state of the open one, to the present."""
        self._peek()
        repaired = self._repaired_from is not None and closed > self._repaired_from
        if not 0 < closed <= len(self._blocks.parts) or repaired:
            return [Patch((), "innerHTML", self.snapshot())]
        return [Patch((closed + 1,), "delete", ""), Patch((closed,), "outerHTML", "".join(self._blocks.children(closed - 1)))]

    @property
    def is_behind(self) -> bool:
        """Whether text was taken that no frame has shown yet: the larger the open piece, the fewer frames render it."""
        return self._frames_waited > 0

    def frame(self, *, is_whole: bool = False) -> list[Patch]:
        """Return what changed since the last frame; to be whole is to show all there is, whatever it costs to render."""
        self._advance()
        if not self._fed:
            return []
        if is_whole and self.is_behind:
            self._show()
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
        if self._new in ([], ["\r"]) and not is_last:
            return
        for line in self._complete_lines(is_last=is_last):
            self._blocks.push(line)
        if is_last:
            self._blocks.finish()
        else:
            self._grow()

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

    def _grow(self) -> None:
        has_news = self._blocks.take_lines()
        self._frames_waited += 1
        if has_news or self._frames_waited > self._blocks.size(self._line_size) // RENDER_EACH:
            self._show()

    def _show(self) -> None:
        self._frames_waited = 0
        self._blocks.show(self._line)

    # Telling

    def _tell(self) -> None:
        self._told = tell(self._blocks)
        self._was_peeked = False

    def _patches(self) -> list[Patch]:
        if self._told is None:
            return [Patch((), "innerHTML", self._blocks.root())]
        return patches((), self._told, is_careful=self._was_peeked)

    def _repair(self) -> list[Patch]:
        """Render again what references and footnotes may have changed after it was closed; [] if all is as it was told."""
        if not self._references:
            return []
        streamed = self._blocks.parts
        final = self._blocks.parts = self._blocks.rendered_again()
        if streamed == final:
            return []
        differing = [at for at, (old, new) in enumerate(zip(streamed, final, strict=False)) if old != new]
        self._repaired_from = min([*differing, len(streamed), len(final)])
        if self._told is None or len(streamed) != len(final):
            return [Patch((), "innerHTML", "".join(final))]
        earlier = [at for at in differing if at < self._told.parts]
        return [Patch((at + 1,), "outerHTML", final[at]) for at in earlier] + self._patches()

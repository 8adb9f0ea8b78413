"""The answer as a whole while it arrives: blocks that are closed stay as they are, until something is defined that they refer to."""

from .markdown import References
from .nesting import GrowingBlocks, render_closed
from .pieces import Kind, Piece


class GrowingAnswer(GrowingBlocks):
    """The blocks of an answer. It keeps the pieces that what is defined later may change."""

    def __init__(self, references: References) -> None:
        super().__init__(None, references, 0)
        self._closed: list[tuple[list[str], Piece, int]] = []  # with how many references were known

    def _close(self, piece: Piece) -> None:
        self.references.collect(piece)
        super()._close(piece)

    def take(self, piece: Piece, blocks: list[str]) -> None:
        super().take(piece, blocks)
        self._closed.append((blocks, piece, len(self.references)))

    def rendered_again(self) -> list[str]:
        """Return the closed blocks with all references that are known now."""
        known = len(self.references)
        return [
            block
            for blocks, piece, before in self._closed
            for block in (blocks if before == known or not _may_refer(piece) else render_closed(piece, self.references))
        ]


def _may_refer(piece: Piece) -> bool:
    return piece.kind is not Kind.CODE and any("[" in line for line in piece.lines)

"""A whole Markdown text as HTML: what an answer that arrived must end as."""

from .markdown import References
from .nesting import render_closed
from .pieces import normalise, split


def render_document(text: str) -> str:
    """Return the whole text as HTML."""
    return "".join(render_blocks(text))


def render_blocks(text: str) -> list[str]:
    """Return the text as HTML, a string with one root element per top-level block."""
    pieces = split(normalise(text))
    references = References()
    for piece in pieces:
        references.collect(piece)
    return [block for piece in pieces for block in render_closed(piece, references)]

"""Text that arrives: the ways to cut it, and how much of it is parsed and sent for each cut."""

from collections.abc import Iterator
from itertools import pairwise
from typing import cast

from pyromark import Markdown
from pyromark.event import Event

from conversations.rendering.live import LiveMarkdown
from conversations.rendering.markdown import References
from conversations.rendering.patches import Patch


def pieces_of(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    return [text[start:end] for start, end in pairwise(places)]


def live(text: str) -> LiveMarkdown:
    markdown = LiveMarkdown()
    markdown.feed(text)
    return markdown


class Counting(References):
    """References whose parser notes how much it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[int] = []

    @property
    def parser(self) -> Markdown:
        return cast(Markdown, self)

    def events(self, source: str) -> Iterator[Event]:
        self.given.append(len(source))
        return super().parser.events(source)


def bytes_of(patches: list[Patch]) -> int:
    return sum(len(patch.html) for patch in patches)


def frames_of(text: str, step: int) -> Iterator[tuple[int, int]]:
    """Yield of each frame how many characters were sent and how many were parsed; the last is the end."""
    references = Counting()
    markdown = LiveMarkdown(references)
    for piece in [*pieces_of(text, list(range(0, len(text), step))), ""]:
        markdown.feed(piece)
        before = len(references.given)
        sent = bytes_of(markdown.frame() if piece else markdown.finish())
        yield sent, sum(references.given[before:])

"""Fragments: events in, HTML for an answer's place in the page out. Each fragment names where it goes, and may be applied twice."""

from collections.abc import Iterable

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from conversations.events import EventKind, JournalEvent, Place

from .live import LiveMarkdown
from .patches import Patch

WAITING = "The database cannot be used just now. The answer waits, and goes on by itself."


class LiveAnswer:
    """The rendered state of one answer while it is written; `frame()` is what changed since the last one."""

    def __init__(self, message_id: int) -> None:
        self._text, self._reasoning = LiveMarkdown(), LiveMarkdown()
        self._characters = Place()
        self._places = ((f"#message-{message_id}-reasoning-text", self._reasoning), (f"#message-{message_id}-text", self._text))

    def apply(self, events: Iterable[JournalEvent]) -> None:
        for event in events:
            if event.kind == EventKind.TEXT_DELTA:
                self._feed(event.data, "")
            elif event.kind == EventKind.REASONING_DELTA:
                self._feed("", event.data)

    def holds(self, text: str, reasoning: str) -> bool:
        """Say whether this is the whole of an answer."""
        return self._characters == (len(reasoning), len(text))

    def load(self, text: str, reasoning: str) -> None:
        """Take the whole of a finished answer."""
        self._feed(text, reasoning)
        self._text.finish()
        self._reasoning.finish()

    def _feed(self, text: str, reasoning: str) -> None:
        self._text.feed(text)
        self._reasoning.feed(reasoning)
        self._characters = Place(self._characters.reasoning + len(reasoning), self._characters.text + len(text))

    @property
    def place(self) -> Place:
        """How many blocks are closed."""
        return Place(self._reasoning.closed, self._text.closed)

    @property
    def text_html(self) -> SafeString:
        return SafeString(self._text.snapshot())  # sanitised by rendering.live

    @property
    def reasoning_html(self) -> SafeString:
        return SafeString(self._reasoning.snapshot())  # sanitised by rendering.live

    @property
    def is_behind(self) -> bool:
        """Whether no frame has shown all there is yet."""
        return self._text.is_behind or self._reasoning.is_behind

    def frame(self, *, is_whole: bool = False) -> str:
        return "".join(partial(where, patch) for where, live in self._places for patch in live.frame(is_whole=is_whole))

    def since(self, place: Place) -> str:
        """Return what brings a page that holds `place` to the present; a page from the future is given the whole.

        As long as nothing is known here, a page keeps what it has: it may have read it where more is known.
        """
        if self._characters == Place():
            return ""
        known = place if place.reasoning <= self._reasoning.closed and place.text <= self._text.closed else Place()
        return "".join(
            partial(where, patch) for (where, live), closed in zip(self._places, known, strict=True) for patch in live.since(closed)
        )

    def finish(self) -> str:
        """Return what brings a page that is up to date to the finished answer."""
        return "".join(partial(where, patch) for where, live in self._places for patch in live.finish())

    def whole(self) -> str:
        """Return what brings any page to the present."""
        return self.since(Place())


def partial(where: str, patch: Patch) -> str:
    """Return the patch as a partial of htmx: `<hx-partial hx-target="#message-7-text > :nth-child(3)" …>`."""
    steps = [f":nth-child({step})" if isinstance(step, int) else step for step in patch.path]
    if patch.swap == "delete" and isinstance(patch.path[-1], int):
        steps[-1] = f":nth-child(n+{patch.path[-1]})"
    return fragment(" > ".join([where, *steps]), patch.swap, patch.html)


def fragment(target: str, swap: str, html: str) -> str:
    return f'<hx-partial hx-target="{target}" hx-swap="{swap}">{html}</hx-partial>'


def waiting(message_id: int, is_waiting: bool) -> str:
    """Return the fragment that says, beside a live answer, that it waits for the database; or that it does so no more."""
    return fragment(f"#message-{message_id}-waiting", "innerHTML", WAITING if is_waiting else "")


def footer(answer: object) -> str:
    """Return the fragment that puts the footer of a finished answer in place of Stop."""
    html = render_to_string("_answer_footer.html", {"answer": answer})
    return fragment(f"#message-{answer.pk}-footer", "outerHTML", html)  # type: ignore[attr-defined]

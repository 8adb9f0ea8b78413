"""Fragments: events in, HTML for an answer's place in the page out. Each fragment names where it goes, and may be applied twice."""

from collections.abc import Callable, Iterable

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from conversations.events import Event, EventKind, JournalEvent, Place
from conversations.tool_events import TOOLS, ToolStart, result_in, start_in

from .live import LiveMarkdown
from .patches import Patch
from .tool_calls import Call

WAITING = "The database cannot be used just now. The answer waits, and goes on by itself."


class LiveAnswer:
    """The rendered state of one answer while it is written; `frame()` is what changed since the last one.

    It is a text, and behind each call of a tool another one. What follows a call stands in a place of its own inside that of the call
    before: an element that is there already, so that it can be filled twice.
    """

    def __init__(self, message_id: int) -> None:
        self.message_id = message_id
        self._reasoning, self._texts = LiveMarkdown(), [LiveMarkdown()]
        self._calls: list[Call] = []
        self._calls_at = [0]  # how many calls there were with so many events of tools
        self._size = Place()  # in characters
        self._untold = Untold()
        self.questions: list[str] = []  # what the next frame asks the person, in words

    def apply(self, events: Iterable[Event | JournalEvent]) -> None:
        for event in events:
            if event.kind == EventKind.TEXT_DELTA:
                self._texts[-1].feed(event.data)
                self._size = self._size._replace(text=self._size.text + len(event.data))
            elif event.kind == EventKind.REASONING_DELTA:
                self._reasoning.feed(event.data)
                self._size = self._size._replace(reasoning=self._size.reasoning + len(event.data))
            elif event.kind in TOOLS:
                self._size = self._size._replace(tools=self._size.tools + 1)
                self._take(event)
                self._calls_at.append(len(self._calls))

    def _take(self, event: Event | JournalEvent) -> None:
        if event.kind == EventKind.TOOL_START:
            start = start_in(event)
            call = self._call(start.call)
            if call:
                call.take_start(start)
            else:
                call = self._begin_step(start)
            self.questions += [call.question] if call.waits else []
        else:
            result = result_in(event)
            call = self._call(result.call)
            if call:
                call.take_result(result)
        if call:
            call.changed_at = self._size.tools
            self._untold.calls[call.number] = call

    def _call(self, number: int) -> Call | None:
        return self._calls[number - 1] if 0 < number <= len(self._calls) else None

    def _begin_step(self, start: ToolStart) -> Call:
        """Close the text before a call, and begin the one behind it."""
        where, end = self._where(len(self._calls)), self._texts[-1].finish()
        call = Call(self.message_id, len(self._calls) + 1, start)
        self._calls.append(call)
        self._texts.append(LiveMarkdown())
        if not self._untold.step:
            self._untold.step, self._untold.end = call.number, "".join(partial(where, patch) for patch in end)
        return call

    def holds(self, size: Place) -> bool:
        """Say whether this is the whole of an answer of that many characters and events."""
        return self._size == size

    def load(self, events: Iterable[Event]) -> None:
        """Take the whole of a finished answer."""
        self.apply(events)
        for live in (self._reasoning, self._texts[-1]):
            live.finish()
        self._close_calls()

    def _close_calls(self) -> list[Call]:
        """The answer has ended; return the calls that have no result."""
        for call in self._calls:
            call.close()
        return [call for call in self._calls if call.is_open]

    @property
    def place(self) -> Place:
        """How many blocks are closed, and how many events of tools there were."""
        return Place(self._reasoning.closed, sum(text.closed for text in self._texts), self._size.tools)

    @property
    def text_html(self) -> SafeString:
        return SafeString(self._texts[0].snapshot())  # sanitised by rendering.live

    @property
    def reasoning_html(self) -> SafeString:
        return SafeString(self._reasoning.snapshot())  # sanitised by rendering.live

    @property
    def steps_html(self) -> SafeString:
        """What the place of the first call holds."""
        return self._step_html(1)

    @property
    def is_behind(self) -> bool:
        """Whether no frame has shown all there is yet."""
        return self._texts[-1].is_behind or self._reasoning.is_behind

    def frame(self, *, is_whole: bool = False) -> str:
        return self._steps() + self._told(lambda live: live.frame(is_whole=is_whole))

    def since(self, place: Place) -> str:
        """Return what brings a page that holds `place` to the present; a page from the future is given the whole.

        As long as nothing is known here, a page keeps what it has: it may have read it where more is known.
        """
        if self._size == Place():
            return ""
        is_known = place.reasoning <= self._reasoning.closed and place.tools < len(self._calls_at)
        step = self._calls_at[place.tools] if is_known else 0
        closed = place.text - sum(text.closed for text in self._texts[:step])
        if not (is_known and 0 <= closed <= self._texts[step].closed):
            place, step, closed = Place(), 0, 0
        parts = [partial(self._where_reasoning, patch) for patch in self._reasoning.since(place.reasoning)]
        parts += [changed(call) for call in self._calls[:step] if call.changed_at > place.tools]
        parts += [partial(self._where(step), patch) for patch in self._texts[step].since(closed)]
        return "".join([*parts, self._step(step + 1) if step < len(self._calls) else ""])

    def finish(self) -> str:
        """Return what brings a page that is up to date to the finished answer."""
        return self._steps() + self._told(LiveMarkdown.finish) + "".join(map(changed, self._close_calls()))

    def whole(self) -> str:
        """Return what brings any page to the present."""
        return self.since(Place())

    def _told(self, tell: Callable[[LiveMarkdown], list[Patch]]) -> str:
        places = ((self._where_reasoning, self._reasoning), (self._where(len(self._calls)), self._texts[-1]))
        return "".join(partial(where, patch) for where, live in places for patch in tell(live))

    def _steps(self) -> str:
        """Return what changed about calls since this was asked last."""
        untold, self._untold = self._untold, Untold()
        known = [changed(call) for number, call in untold.calls.items() if not 0 < untold.step <= number]
        return "".join([*known, untold.end, self._step(untold.step) if untold.step else ""])

    @property
    def _where_reasoning(self) -> str:
        return f"#message-{self.message_id}-reasoning-text"

    def _where(self, step: int) -> str:
        """The place of the text behind so many calls."""
        return f"#message-{self.message_id}-text-{step}" if step else f"#message-{self.message_id}-text"

    def _step(self, number: int) -> str:
        return fragment(f"#message-{self.message_id}-step-{number}", "innerHTML", self._step_html(number))

    def _step_html(self, number: int) -> SafeString:
        """Return what the place of a call holds: the call, the text behind it, and the place of the next one."""
        html = SafeString("")
        for call in reversed(self._calls[number - 1 :]):
            text = SafeString(self._texts[call.number].snapshot())  # sanitised by rendering.live
            html = render_to_string("_step.html", {"call": call, "text": text, "next": html, "number": call.number + 1})
        return html


class Untold:
    """What happened about calls that no frame has shown: those that changed, and the first that is new, with what ends the text before."""

    def __init__(self) -> None:
        self.calls: dict[int, Call] = {}
        self.step, self.end = 0, ""


def changed(call: Call) -> str:
    """Return the fragments that bring what a page shows of a call to the present."""
    return "".join(fragment(f"#{where}", "innerHTML", html) for where, html in call.parts())


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

"""A tool call as a page shows it: its name and arguments, that it runs, what came of it. All of it is text that nobody trusts.

The templates escape it, and nothing in it becomes a link, an image or Markdown.
"""

import json
import re

from django.template.loader import render_to_string

from conversations.events import clean
from conversations.tool_events import ToolResult, ToolStart

SHOWN_CHARACTERS = 8_000  # of the arguments and of the result; the rest is kept, exported and told to the model
LINE_ENDS = re.compile("\\r\\n?")
STATES = {
    "waits": "waits for you",
    "running": "running",
    "done": "done",
    "failed": "failed",
    "declined": "declined",
    "cut_off": "did not finish",
}


class Call:
    """What `_tool_call.html` and its parts expect. `number` is its place among the calls of the answer."""

    def __init__(self, message_id: int, number: int, start: ToolStart) -> None:
        self.message_id, self.number, self.name = message_id, number, start.name
        self.id = f"message-{message_id}-call-{number}"
        self.arguments = shown(in_lines(start.arguments))
        self.changed_at = 0  # how many events of tools there were with the last one about it
        self._start, self._is_over = start, False
        self._result: ToolResult | None = None

    def take_start(self, start: ToolStart) -> None:
        self._start = start

    def take_result(self, result: ToolResult) -> None:
        self._result = result

    def close(self) -> None:
        """The answer has ended: nothing runs any more."""
        self._is_over = True

    @property
    def is_open(self) -> bool:
        return self._result is None

    @property
    def waits(self) -> bool:
        return self.state == "waits"

    @property
    def state(self) -> str:
        if self._result:
            return self._result.status if self._result.status in STATES else "failed"
        if self._is_over:
            return "cut_off"
        return "waits" if self._start.waits else "running"

    @property
    def state_text(self) -> str:
        return STATES[self.state]

    @property
    def time_text(self) -> str:
        """How long it took; "" where it was never run."""
        if self._result is None or self.state == "declined":
            return ""
        seconds = self._result.seconds
        return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"

    @property
    def result(self) -> str:
        return shown(self._result.text) if self._result else ""

    @property
    def question(self) -> str:
        """What is said, once, to somebody who does not look at it."""
        return f"The model wants to use the tool {self.name[:100]}. Approve or decline it."

    def parts(self) -> list[tuple[str, str]]:
        """What changes of it: each the id of an element, and what it holds now."""
        return [(f"{self.id}-{part}", render_to_string(f"_tool_call_{part}.html", {"call": self})) for part in ("state", "body", "ask")]


def shown(text: str) -> str:
    """Return what a page shows of a text, its line ends as an event stream tells them."""
    text = LINE_ENDS.sub("\n", text)
    if len(text) <= SHOWN_CHARACTERS:
        return text
    return f"{text[:SHOWN_CHARACTERS]}\n… {len(text) - SHOWN_CHARACTERS:,} more characters"


def in_lines(arguments: str) -> str:
    """Return arguments as people read them: one in a line; what is no JSON as it is."""
    try:
        found = json.loads(arguments)
        lines = [in_line(*field) for field in found.items()] if isinstance(found, dict) else [arguments]
    except (ValueError, RecursionError):
        return arguments
    return clean("\n".join(lines))  # an escape in JSON may be half a character, or NUL


def in_line(name: str, value: object) -> str:
    return f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"

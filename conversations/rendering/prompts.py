"""A prompt as its template shows it."""

import re
from functools import cached_property

from conversations.models import Message, Siblings

EXCERPT = 40  # characters that tell one message from another
MARKUP = re.compile(r"[#>*_`~|\[\]!-]+")


class Prompt:
    """What `_prompt.html` expects where a person may change the conversation."""

    role = "user"
    has_actions = True
    is_compared = False
    is_unanswered = False  # and nothing follows it

    def __init__(self, message: Message, siblings: Siblings | None = None) -> None:
        self.message, self.pk, self.text, self.siblings = message, message.pk, message.text, siblings
        self.parent_id = message.parent_id or 0

    @cached_property
    def label(self) -> str:
        return excerpt(self.text)


def excerpt(text: str) -> str:
    """Return the first words of a message, for the names of its controls."""
    words = " ".join(MARKUP.sub(" ", text[: 10 * EXCERPT]).split())
    return words if len(words) <= EXCERPT else words[:EXCERPT].rsplit(" ", 1)[0] + "…"

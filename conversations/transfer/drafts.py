"""Drafts: a conversation as a file tells it, made harmless: its texts are text, its moments have been, its messages are a tree."""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from conversations.models import Role
from conversations.models.conversations import SYSTEM_PROMPT_MAX_CHARACTERS, TITLE_MAX_CHARACTERS, title_from
from conversations.models.folders import FOLDER_MAX_CHARACTERS
from conversations.models.titles import is_plain

from .refusals import Refused

MOST_MESSAGES = 20_000  # of one conversation
LONGEST = 1_000_000  # characters of one message: a page renders it whole
TOO_MANY = f"It has more than {MOST_MESSAGES:,} messages."
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
KEY_MAX_CHARACTERS = 200
NAME_MAX_CHARACTERS = 200
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")  # what UTF-8 and a database cannot hold


@dataclass(slots=True)
class DraftMessage:
    key: str
    parent: str | None
    role: Role
    text: str
    reasoning: str = ""
    model_name: str = ""
    created_at: datetime | None = None
    edited_at: datetime | None = None
    tool_events: list[dict[str, Any]] | None = None

    @property
    def size(self) -> int:
        """How many characters it has, those of its tools included."""
        return len(self.text) + len(self.reasoning) + (len(json.dumps(self.tool_events)) if self.tool_events else 0)


@dataclass(slots=True)
class Draft:
    """A conversation; `ordered()` says what of its messages is kept, and in which order."""

    source_key: str
    title: str
    messages: list[DraftMessage]
    head: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    system_prompt: str = ""
    folder: str = ""
    is_pinned: bool = False
    is_archived: bool = False

    def ordered(self) -> Iterator[DraftMessage]:
        """Yield each message behind the one it answers. One that answers a message which is not there begins a branch of its own.

        Raises Refused for two messages of one name, and for some that answer each other in a circle.
        """
        keys = {message.key for message in self.messages}
        if len(keys) < len(self.messages):
            raise Refused("Two of its messages have the same id.")
        behind: dict[str | None, list[DraftMessage]] = {}
        for message in self.messages:
            message.parent = message.parent if message.parent in keys else None
            behind.setdefault(message.parent, []).append(message)
        waiting, count = behind.get(None, [])[::-1], 0
        while waiting:
            message = waiting.pop()
            yield message
            count += 1
            waiting.extend(behind.get(message.key, [])[::-1])
        if count < len(self.messages):
            raise Refused("Some of its messages answer each other in a circle.")

    def check(self) -> None:
        """Raises Refused for what is no conversation, or more than one."""
        if not self.messages:
            raise Refused("There is no message in it.")
        if len(self.messages) > MOST_MESSAGES:
            raise Refused(TOO_MANY)
        if any(len(text) > LONGEST for message in self.messages for text in (message.text, message.reasoning)):
            raise Refused(f"One of its messages is longer than {LONGEST:,} characters.")
        if len(self.system_prompt) > SYSTEM_PROMPT_MAX_CHARACTERS:
            raise Refused(f"Its system prompt is longer than {SYSTEM_PROMPT_MAX_CHARACTERS:,} characters.")
        for _ in self.ordered():
            pass

    def name(self) -> str:
        """Its title in one line of plain text, as much of it as is kept; without one, the beginning of the first prompt."""
        if not (line := self.line()):
            line = title_from(next((message.text for message in self.messages if message.role == Role.USER), ""))
        return line if len(line) <= TITLE_MAX_CHARACTERS else line[: TITLE_MAX_CHARACTERS - 1] + "…"

    def line(self) -> str:
        visible = "".join(" " if character.isspace() else character for character in self.title if is_plain(character))
        return " ".join(visible.split())

    def cut(self) -> str:
        """What of it is too long to be kept whole, in a sentence; "" for nothing."""
        if len(self.line()) > TITLE_MAX_CHARACTERS:
            return f"A title has at most {TITLE_MAX_CHARACTERS} characters here: the rest of it was left out."
        if len(self.folder) > FOLDER_MAX_CHARACTERS:
            return f"The name of a folder has at most {FOLDER_MAX_CHARACTERS} characters here: the rest of it was left out."
        return ""


def joined(messages: Iterable[DraftMessage], left_out: dict[str, str | None]) -> list[DraftMessage]:
    """Return the messages, those that answer one which is left out linked to what that answered."""

    def standing(key: str | None) -> str | None:
        passed: dict[str, None] = {}
        while key in left_out and key not in passed:
            passed[key] = None
            key = left_out[key]
        left_out.update(dict.fromkeys(passed, key))  # so that a long chain is walked once
        return key

    found = list(messages)
    for message in found:
        message.parent = standing(message.parent)
    return found


def text_of(value: Any) -> str:
    """Return a value as text that can be kept; "" for what is none."""
    return _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", paired(value)) if isinstance(value, str) else ""


def paired(text: str) -> str:
    """Join surrogates that JSON wrote as two escapes which were cut apart elsewhere."""
    try:
        return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return text


def short(value: Any) -> str:
    """Return a name: one line, of a length that a column takes."""
    return " ".join(text_of(value).split())[:NAME_MAX_CHARACTERS]


def moment(value: Any) -> datetime | None:
    """Return a moment given in seconds since 1970 or in ISO 8601; None for what is none. One to come is now."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            found = found if found.tzinfo else found.replace(tzinfo=UTC)
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            found = datetime.fromtimestamp(value, UTC)
        else:
            return None
        found = found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return min(max(found, EARLIEST), timezone.now())


def key_of(source: str, identity: Any, contents: Iterable[str]) -> str:
    """Name a conversation after its source, the same at each import; after its contents where the file gives it no name."""
    if isinstance(identity, str) and identity.strip():
        key = f"{source}:{text_of(identity)}"
        if len(key) <= KEY_MAX_CHARACTERS:
            return key
        contents = [key]
    digest = hashlib.sha256("\n".join(contents).encode()).hexdigest()
    return f"{source}:sha256:{digest}"


def objects_in(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; nothing of what is none."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []

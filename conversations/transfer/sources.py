"""Whose export a conversation comes from, told by its shape."""

from typing import Any

from . import chatgpt, claude, own
from .drafts import Draft, short
from .refusals import Refused

SOURCES = ((own.is_ours, own.draft_of), (chatgpt.is_chatgpts, chatgpt.draft_of), (claude.is_claudes, claude.draft_of))


def draft_of(found: dict[str, Any]) -> Draft:
    """Return the draft of a conversation that can be kept as it is. Raises Refused with a sentence."""
    for is_its, draft in SOURCES:
        if is_its(found):
            read = draft(found)
            read.check()
            return read
    raise Refused("It has the shape of none of the exports that can be imported: this site's, ChatGPT's, Claude's.")


def title_in(found: Any) -> str:
    """What a conversation that could not be read is called, if it says so: for the person to find it."""
    told = found.get("conversation", found) if isinstance(found, dict) else None
    return short((told.get("title") or told.get("name")) if isinstance(told, dict) else "")[:80]

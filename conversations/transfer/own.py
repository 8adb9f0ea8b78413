"""Reads what `as_json` writes (docs/export.md). Usage is not taken in: nothing was spent here; nor are parameters of a model."""

from typing import Any

from conversations.models import Role

from .as_json import FORMAT, VERSION
from .drafts import Draft, DraftMessage, joined, key_of, moment, objects_in, short, text_of
from .refusals import Refused
from .tool_calls import tool_events_of

SOURCES = {"chatsite", "chatgpt", "claude", "file", "share"}  # who may have named a conversation before it came here


def is_ours(found: dict[str, Any]) -> bool:
    return found.get("format") == FORMAT


def draft_of(found: dict[str, Any]) -> Draft:
    version, told = found.get("version"), found.get("conversation")
    if not isinstance(version, int) or version > VERSION:
        raise Refused("It was exported by a later version of this site.")
    if not isinstance(told, dict):
        raise Refused("It has no conversation in it.")
    entries = objects_in(told.get("messages"))
    left_out = {name: key(entry.get("parent")) for entry in entries if not has_role(entry) and (name := key(entry.get("id")))}
    messages = joined(map(message_of, filter(has_role, entries)), left_out)
    return Draft(
        source_key=named(told.get("id"), [message.text for message in messages]),
        title=text_of(told.get("title")),
        messages=messages,
        head=key(told.get("head")),
        created_at=moment(told.get("created_at")),
        updated_at=moment(told.get("updated_at")),
        system_prompt=text_of(told.get("system_prompt")),
        folder=short(told.get("folder")),
        is_pinned=told.get("pinned") is True,
        is_archived=told.get("archived") is True,
    )


def has_role(entry: dict[str, Any]) -> bool:
    """Whether it is a prompt or an answer. This site writes nothing else; others may, and it is left out."""
    return entry.get("role") in Role.values


def message_of(entry: dict[str, Any]) -> DraftMessage:
    own = key(entry.get("id"))
    if own is None:
        raise Refused("One of its messages has no id.")
    return DraftMessage(
        key=own,
        parent=key(entry.get("parent")),
        role=Role(entry["role"]),
        text=text_of(entry.get("text")),
        reasoning=text_of(entry.get("reasoning")),
        tool_events=tool_events_of(entry),
        model_name=short(entry.get("model")),
        created_at=moment(entry.get("created_at")),
        edited_at=moment(entry.get("edited_at")),
    )


def key(value: Any) -> str | None:
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else None


def named(identity: Any, contents: list[str]) -> str:
    """The name it already had; what another source named keeps that name, so that it is the same conversation."""
    name = text_of(identity)
    source, _, rest = name.partition(":")
    return key_of(source, rest, contents) if source in SOURCES else key_of("file", name, contents)

"""A conversation as JSON: the whole tree, in the site's own format (docs/export.md), which the site reads again."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone

from conversations.models import Conversation, Message, Usage

from .names import source_key
from .reading import whole_tree

FORMAT, VERSION = "chatsite.conversation", 1


def pieces(conversation: Conversation) -> Iterator[str]:
    frame = {"format": FORMAT, "version": VERSION, "exported_at": moment(timezone.now()), "conversation": described(conversation)}
    yield json.dumps(frame, ensure_ascii=False, indent=1).removesuffix("\n }\n}") + ',\n  "messages": ['
    separator = "\n"
    for message in whole_tree(conversation):
        yield separator + json.dumps(told(message), ensure_ascii=False)
        separator = ",\n"
    yield "\n]}}\n"


def described(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": source_key(conversation),
        "title": conversation.title,
        "created_at": moment(conversation.created_at),
        "updated_at": moment(conversation.updated_at),
        "model": conversation.model.name if conversation.model else None,
        "system_prompt": conversation.system_prompt,
        "parameters": conversation.parameters,
        "folder": conversation.folder.name if conversation.folder else None,
        "pinned": conversation.pinned_at is not None,
        "archived": conversation.archived_at is not None,
        "head": conversation.head_id,
    }


def told(message: Message) -> dict[str, Any]:
    generation = getattr(message, "generation", None)
    entry: dict[str, Any] = {
        "id": message.pk,
        "parent": message.parent_id,
        "role": message.role,
        "created_at": moment(message.created_at),
        "text": message.text,
        "reasoning": message.reasoning or None,
        "tools": message.tool_events,
        "edited_at": moment(message.edited_at),
        "continues": message.continues_id,
        "model": message.written_by or None,
    }
    if generation:
        entry |= {"status": generation.status, "finish_reason": generation.finish_reason, "error": generation.error_sentence or None}
        entry["usage"] = [counted(usage) for usage in generation.attempts]
    return {name: value for name, value in entry.items() if value is not None or name == "parent"}


def counted(usage: Usage) -> dict[str, Any]:
    numbers = ("attempt", "input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    counts = {name: getattr(usage, name) for name in numbers}
    return {"model": usage.model_name, **counts, "estimated": usage.is_estimated, "cost": str(usage.cost), "currency": "USD"}


def moment(when: datetime | None) -> str | None:
    return when.isoformat() if when else None

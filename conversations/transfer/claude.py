"""Reads Claude's export: an array of conversations with `chat_messages`, in order, in newer files each with the message it answers.

Thinking and the use of tools become the reasoning of the answer; the text of an attachment follows the prompt it was attached to.
"""

import json
from typing import Any

from conversations.models import Role

from .drafts import Draft, DraftMessage, key_of, moment, objects_in, short, text_of
from .tools import fenced

NOBODY = "00000000-0000-4000-8000-000000000000"  # what the first message answers
ROLES = {"human": Role.USER, "user": Role.USER, "assistant": Role.ASSISTANT}


def is_claudes(found: dict[str, Any]) -> bool:
    return isinstance(found.get("chat_messages"), list)


def draft_of(found: dict[str, Any]) -> Draft:
    messages: list[DraftMessage] = []
    for number, entry in enumerate(objects_in(found["chat_messages"])):
        if role := ROLES.get(str(entry.get("sender"))):  # there is no other
            messages.append(message_of(entry, role, number, messages[-1].key if messages else None, short(found.get("model"))))
    leaf = found.get("current_leaf_message_uuid")
    return Draft(
        source_key=key_of("claude", found.get("uuid"), [message.text for message in messages]),
        title=text_of(found.get("name")),
        messages=messages,
        head=leaf if isinstance(leaf, str) else (messages[-1].key if messages else None),
        created_at=moment(found.get("created_at")),
        updated_at=moment(found.get("updated_at")),
        is_pinned=found.get("is_starred") is True,
    )


def message_of(entry: dict[str, Any], role: Role, number: int, before: str | None, model: str) -> DraftMessage:
    own, parent = entry.get("uuid"), entry.get("parent_message_uuid", before)
    text, reasoning = contents_of(entry)
    return DraftMessage(
        key=own if isinstance(own, str) and own else f"#{number}",
        parent=parent if isinstance(parent, str) and parent != NOBODY else None,
        role=role,
        text=text + attachments_of(entry),
        reasoning=reasoning,
        model_name=(model or "Claude") if role == Role.ASSISTANT else "",
        created_at=moment(entry.get("created_at")),
    )


def contents_of(entry: dict[str, Any]) -> tuple[str, str]:
    """Return text and reasoning. Files without blocks have only `text`; where there are blocks it says less than they do."""
    texts, thoughts = [], []
    for block in objects_in(entry.get("content")):
        kind = block.get("type")
        if kind == "text":
            texts.append(text_of(block.get("text")))
        elif kind == "thinking":
            thoughts.append(text_of(block.get("thinking")))
        elif kind == "tool_use":
            thoughts.append(
                fenced(f"Tool: {short(block.get('name'))}", text_of(json.dumps(block.get("input"), indent=1, ensure_ascii=False)))
            )
        elif kind == "tool_result":
            parts = (text_of(part.get("text")) for part in objects_in(block.get("content")))
            thoughts.append(fenced(f"Result of {short(block.get('name'))}", "\n".join(parts)))
    text = "\n\n".join(filter(None, texts)) or text_of(entry.get("text"))
    return text, "\n\n".join(filter(None, thoughts))


def attachments_of(entry: dict[str, Any]) -> str:
    told = ""
    for attachment in objects_in(entry.get("attachments")):
        told += f"\n\n[Attachment: {short(attachment.get('file_name'))}]\n{text_of(attachment.get('extracted_content'))}".rstrip()
    for file in objects_in(entry.get("files")):
        told += f"\n\n[File, not imported: {short(file.get('file_name'))}]"
    return told

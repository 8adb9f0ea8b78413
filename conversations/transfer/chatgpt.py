"""Reads ChatGPT's export: an array of conversations, each a `mapping` of nodes that know their parent and children.

A turn of ChatGPT is a chain of nodes: thoughts, calls of tools, their results, the answer. Here it becomes one answer, with all but its
text as reasoning. System messages, hidden ones and custom instructions were meant for ChatGPT and are left out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from conversations.models import Role

from .drafts import MOST_MESSAGES, TOO_MANY, Draft, DraftMessage, joined, key_of, moment, objects_in, short, text_of
from .refusals import Refused
from .tools import fenced

_CITATION = re.compile("\ue200[^\ue200\ue201]*+\ue201|[\ue200-\ue206]")  # marks that only ChatGPT's page can draw
_MISSING = {
    "image_asset_pointer": "[Image, not imported]",
    "audio_asset_pointer": "[Audio, not imported]",
    "real_time_user_audio_video_asset_pointer": "[Audio, not imported]",
    "video_container_asset_pointer": "[Video, not imported]",
}
_NOT_TOLD = {"user_editable_context", "model_editable_context", "reasoning_recap"}

type Node = dict[str, Any]


def is_chatgpts(found: dict[str, Any]) -> bool:
    return isinstance(found.get("mapping"), dict)


def draft_of(found: dict[str, Any]) -> Draft:
    if len(found["mapping"]) > MOST_MESSAGES:
        raise Refused(TOO_MANY)
    tree = Tree({key: node for key, node in found["mapping"].items() if isinstance(node, dict)})
    messages = tree.messages()
    identity = found.get("conversation_id") or found.get("id")
    return Draft(
        source_key=key_of("chatgpt", identity, [message.text for message in messages]),
        title=text_of(found.get("title")),
        messages=messages,
        head=tree.places.get(str(found.get("current_node"))),
        created_at=moment(found.get("create_time")),
        updated_at=moment(found.get("update_time")),
        is_pinned=found.get("is_starred") is True,
        is_archived=found.get("is_archived") is True,
    )


class Tree:
    """The nodes of a conversation; `places` says, once its messages were asked for, which message a node has become part of."""

    def __init__(self, nodes: dict[str, Node]) -> None:
        self.nodes = nodes
        self.places: dict[str, str | None] = {}
        self._answers: list[Growing] = []
        self._open: dict[str, Growing] = {}  # answers that still grow, by the node that they end with

    def messages(self) -> list[DraftMessage]:
        """Return prompts and answers, each behind what it answers. One that is empty is left out."""
        found = [message for key, node, parent in self.in_order() if (message := self.begun(key, node, parent))]
        for answer in self._answers:
            answer.join()
        empty = {message.key: message.parent for message in found if not (message.text or message.reasoning)}
        kept = joined((message for message in found if message.key not in empty), empty)
        self.places = {key: empty.get(place, place) if place else None for key, place in self.places.items()}
        return kept

    def in_order(self) -> Iterator[tuple[str, Node, str | None]]:
        """Yield each node behind its parent. Raises Refused where some are their own ancestors."""
        behind: dict[str | None, list[str]] = {}
        for key, node in self.nodes.items():
            parent = node.get("parent")
            behind.setdefault(parent if isinstance(parent, str) and parent in self.nodes else None, []).append(key)
        waiting: list[tuple[str, str | None]] = [(key, None) for key in reversed(behind.get(None, []))]
        count = 0
        while waiting:
            key, parent = waiting.pop()
            yield key, self.nodes[key], parent
            count += 1
            waiting.extend((child, key) for child in reversed(self.in_their_order(key, behind.get(key, []))))
        if count < len(self.nodes):
            raise Refused("Some of its messages answer each other in a circle.")

    def in_their_order(self, key: str, children: list[str]) -> list[str]:
        listed = self.nodes[key].get("children")
        order = {child: place for place, child in enumerate(listed) if isinstance(child, str)} if isinstance(listed, list) else {}
        return sorted(children, key=lambda child: order.get(child, len(order)))

    def begun(self, key: str, node: Node, parent: str | None) -> DraftMessage | None:
        """Put a node in its place; return the message that begins with it, or None if it is part of one, or of none."""
        before = self.places.get(parent) if parent else None
        self.places[key] = before
        message = node.get("message")
        if not isinstance(message, dict) or is_left_out(message):
            self._pass_on(parent, key)
            return None
        role = Role.USER if author(message) == "user" else Role.ASSISTANT
        text, reasoning = contents_of(message)
        growing = self._open.pop(parent, None) if parent else None
        if role == Role.ASSISTANT and growing:
            growing.add(message, text, reasoning)
            self._open[key] = growing
            return None
        new = DraftMessage(key, before, role, text, reasoning, model_of(message), moment(message.get("create_time")))
        self.places[key] = key
        if role == Role.ASSISTANT:
            self._open[key] = Growing(new)
            self._answers.append(self._open[key])
        return new

    def _pass_on(self, parent: str | None, key: str) -> None:
        if parent and (growing := self._open.pop(parent, None)):
            self._open[key] = growing


@dataclass(slots=True)
class Growing:
    """An answer and what further nodes add to it. It is joined once: joined at each node, a long one would be copied as often."""

    answer: DraftMessage
    texts: list[str] = field(default_factory=list)
    reasonings: list[str] = field(default_factory=list)

    def add(self, message: Node, text: str, reasoning: str) -> None:
        self.texts.append(text)
        self.reasonings.append(reasoning)
        self.answer.model_name = self.answer.model_name or model_of(message)

    def join(self) -> None:
        self.answer.text = "\n\n".join(filter(None, (self.answer.text, *self.texts)))
        self.answer.reasoning = "\n\n".join(filter(None, (self.answer.reasoning, *self.reasonings)))


def author(message: Node) -> str:
    found = message.get("author")
    return str(found.get("role")) if isinstance(found, dict) else ""


def metadata(message: Node) -> dict[str, Any]:
    found = message.get("metadata")
    return found if isinstance(found, dict) else {}


def model_of(message: Node) -> str:
    return "" if author(message) == "user" else short(metadata(message).get("model_slug"))


def is_left_out(message: Node) -> bool:
    content = message.get("content")
    kind = content.get("content_type") if isinstance(content, dict) else None
    is_hidden = metadata(message).get("is_visually_hidden_from_conversation") is True
    return author(message) not in {"user", "assistant", "tool"} or is_hidden or kind is None or str(kind) in _NOT_TOLD


def contents_of(message: Node) -> tuple[str, str]:
    """Return text and reasoning: what was said to a person, and what was thought, or said to or by a tool."""
    content: dict[str, Any] = message["content"]
    kind = content.get("content_type")
    if kind == "thoughts":
        thoughts = objects_in(content.get("thoughts"))
        return "", "\n\n".join(filter(None, (text_of(thought.get("content")) for thought in thoughts)))
    text = _CITATION.sub("", parts_of(content))
    if author(message) == "tool":
        name = short((message.get("author") or {}).get("name"))
        return "", fenced(f"Result of {name}", text)
    if author(message) == "assistant" and message.get("recipient", "all") != "all":
        return "", fenced(f"Tool: {short(message.get('recipient'))}", text)
    return text, ""


def parts_of(content: dict[str, Any]) -> str:
    """Return the text of whatever kind of content; what is neither text nor known is named."""
    parts = content.get("parts")
    if not isinstance(parts, list):
        return text_of(content.get("text") or content.get("result"))
    return "\n\n".join(filter(None, map(part_of, parts)))


def part_of(part: Any) -> str:
    if isinstance(part, dict):
        return text_of(part.get("text")) or _MISSING.get(str(part.get("content_type")), "")
    return text_of(part)

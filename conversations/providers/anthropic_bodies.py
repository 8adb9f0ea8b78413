"""Messages and tools of a request in Anthropic's words: each message is a list of blocks, and results of tools are the user's."""

import json
import re
from typing import Any

from .base import ChatMessage, ChatRequest

CACHED = {"cache_control": {"type": "ephemeral"}}
NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9_-]")  # what other providers have in the ids of calls, and Anthropic refuses

type Block = dict[str, Any]


def messages_on_wire(request: ChatRequest) -> list[dict[str, Any]]:
    """Return the messages, the last one marked as the end of what is cached: the next turn begins with all of them.

    A title is asked for once, and caches nothing. Messages in which nothing can be seen are refused, and left out.
    """
    messages: list[dict[str, Any]] = []
    for message in request.messages:
        role, blocks = "assistant" if message.role == "assistant" else "user", blocks_of(message)
        if messages and message.role == "tool" and messages[-1]["role"] == role:
            messages[-1]["content"] += blocks  # the results of one round belong into one message
        elif blocks:
            messages.append({"role": role, "content": blocks})
    if messages and request.purpose != "title":
        messages[-1]["content"][-1] |= CACHED
    return messages


def system_on_wire(system_prompt: str) -> dict[str, Any]:
    """The system prompt ends what is cached of every conversation that has it, with the tools before it."""
    return {"system": [text_block(system_prompt) | CACHED]} if system_prompt.strip() else {}


def tools_on_wire(request: ChatRequest) -> dict[str, Any]:
    if not request.tools:
        return {}
    tools = [{"name": tool.name, "description": tool.description, "input_schema": tool.parameters} for tool in request.tools]
    return {"tools": tools} if request.may_call_tools else {"tools": tools, "tool_choice": {"type": "none"}}


def blocks_of(message: ChatMessage) -> list[Block]:
    if message.role == "tool":
        return [{"type": "tool_result", "tool_use_id": id_on_wire(message.call_id), "content": message.text}]
    calls = [
        {"type": "tool_use", "id": id_on_wire(call.id), "name": call.name, "input": json.loads(call.arguments)} for call in message.calls
    ]
    return ([text_block(message.text)] if message.text.strip() else []) + calls


def text_block(text: str) -> Block:
    return {"type": "text", "text": text}


def id_on_wire(call_id: str) -> str:
    return NOT_IN_AN_ID.sub("_", call_id)

"""Messages and tools of a request in the words of Responses: calls and their results are items beside the messages."""

from collections.abc import Iterator
from typing import Any

from .base import ChatMessage, ChatRequest

type Item = dict[str, Any]


def items_of(message: ChatMessage) -> Iterator[Item]:
    if message.role == "tool":
        yield {"type": "function_call_output", "call_id": message.call_id, "output": message.text}
        return
    if message.text or not message.calls:
        yield {"role": message.role, "content": message.text}
    for call in message.calls:
        yield {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments}


def tools_on_wire(request: ChatRequest) -> dict[str, Any]:
    if not request.tools:
        return {}
    tools = [
        {"type": "function", "name": tool.name, "description": tool.description, "parameters": tool.parameters, "strict": False}
        for tool in request.tools
    ]
    return {"tools": tools} if request.may_call_tools else {"tools": tools, "tool_choice": "none"}

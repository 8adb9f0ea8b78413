"""Messages and tools of a request in the words of chat completions."""

from typing import Any

from .base import ChatMessage, ChatRequest


def message_on_wire(message: ChatMessage) -> dict[str, Any]:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.call_id, "content": message.text}
    if message.calls:
        calls = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}} for call in message.calls
        ]
        return {"role": message.role, "content": message.text or None, "tool_calls": calls}
    return {"role": message.role, "content": message.text}


def tools_on_wire(request: ChatRequest) -> dict[str, Any]:
    if not request.tools:
        return {}
    functions = [{"name": tool.name, "description": tool.description, "parameters": tool.parameters} for tool in request.tools]
    tools = {"tools": [{"type": "function", "function": function} for function in functions]}
    return tools if request.may_call_tools else tools | {"tool_choice": "none"}

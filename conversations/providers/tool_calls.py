"""Tool calls out of chat completion chunks, put together from however many pieces a server sends them in."""

import json
from typing import Any

from .base import ToolCall

MOST_CALLS = 64
MOST_CHARACTERS = 1_000_000  # of the arguments of all calls


class Calls:
    """Feed it `delta.tool_calls`. Raises ValueError for more than anybody asks for in earnest.

    OpenAI names a call once and by its index from there on. Others send no index, each call whole; or the same id with each piece;
    Gemini's compatible endpoint gives each of several whole calls the index 0.
    """

    def __init__(self) -> None:
        self._calls: list[dict[str, str]] = []
        self._by_index: dict[int, dict[str, str]] = {}
        self._characters = 0

    def take(self, pieces: Any) -> None:
        for piece in pieces if isinstance(pieces, list) else ():
            if isinstance(piece, dict):
                self._take_piece(piece, piece.get("function"))

    def taken(self) -> list[ToolCall]:
        """Return the calls, once: those without a name are none."""
        calls = [ToolCall(**call) for call in self._calls if call["name"]]
        self._calls, self._by_index = [], {}
        return calls

    def _take_piece(self, piece: dict[str, Any], function: Any) -> None:
        function = function if isinstance(function, dict) else {}
        name, arguments = text_of(function.get("name")), arguments_of(function.get("arguments"))
        call = self._call_of(piece.get("index"), text_of(piece.get("id")), is_named=bool(name))
        call["name"] = call["name"] or name
        call["arguments"] += arguments
        self._characters += len(arguments) + len(name)
        if self._characters > MOST_CHARACTERS:
            raise ValueError(f"tool calls of more than {MOST_CHARACTERS} characters")

    def _call_of(self, index: Any, identity: str, *, is_named: bool) -> dict[str, str]:
        """Return the call that a piece belongs to, which may be a new one."""
        if isinstance(index, int):
            call = self._by_index.get(index)
            is_other = bool(call and identity and call["id"] and identity != call["id"])
        else:
            call = next((call for call in self._calls if identity and call["id"] == identity), None)
            if call is None and not identity and not is_named and self._calls:
                call = self._calls[-1]
            is_other = False
        if call is None or is_other:
            call = self._new()
            if isinstance(index, int):
                self._by_index[index] = call
        call["id"] = call["id"] or identity
        return call

    def _new(self) -> dict[str, str]:
        if len(self._calls) == MOST_CALLS:
            raise ValueError(f"more than {MOST_CALLS} tool calls at once")
        self._calls.append({"id": "", "name": "", "arguments": ""})
        return self._calls[-1]


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else ""


def arguments_of(value: Any) -> str:
    """Return arguments as text; some servers send them as the object they stand for."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else text_of(value)

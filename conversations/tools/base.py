"""What a tool is: a function with types and a docstring, and the rules it runs under.

Write `def name(caller: Caller, words: Annotated[str, "what to look for"], most: int = 5) -> str:`, sync or async. The schema comes from
the signature, the description from the docstring. `caller` is left to the site; a tool that does not ask for it does not get it. What is
not text is told as JSON. Raise ToolError with a sentence that the model can act on.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec


class ToolError(Exception):
    """What went wrong, in words for the model."""


@dataclass(frozen=True, slots=True)
class Caller:
    """For whom a tool is called: it must reach nothing that this person could not."""

    user_id: int
    conversation_id: int


@dataclass(frozen=True)
class Tool:
    """A function as a model may call it. `timeout` in seconds; `permission` is Django's, such as "conversations.view_usage", or ""."""

    name: str
    function: Callable[..., Any]
    timeout: float = 30
    permission: str = ""
    needs_approval: bool = False

    @cached_property
    def arguments(self) -> type[msgspec.Struct]:
        """A type of its arguments; raises TypeError for a function without types."""
        return arguments_of(self.name, self.function)

    @cached_property
    def description(self) -> str:
        return inspect.getdoc(self.function) or ""

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its arguments: an object."""
        _, components = msgspec.json.schema_components([self.arguments], ref_template="#/$defs/{name}")
        own = {name: value for name, value in components.pop(self.name).items() if name != "title"}
        return own | ({"$defs": components} if components else {})

    @cached_property
    def takes_caller(self) -> bool:
        return "caller" in inspect.signature(self.function).parameters

    def read(self, arguments: str) -> dict[str, Any]:
        """Return what a model wrote as arguments of the function; raises ToolError for what the schema does not allow."""
        try:
            found = msgspec.json.decode(arguments.strip() or "{}", type=self.arguments)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise ToolError(f"The arguments are not what this tool takes: {error}") from None
        return {name: getattr(found, name) for name in found.__struct_fields__}


def arguments_of(name: str, function: Callable[..., Any]) -> type[msgspec.Struct]:
    """Return a type of the parameters of a function; raises TypeError for one that has no type."""
    hints = get_type_hints(function, include_extras=True)
    fields: list[Any] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "caller":
            continue
        kind = described(hints[parameter.name]) if parameter.name in hints else None
        if kind is None:
            raise TypeError(f"{name}: the parameter {parameter.name} has no type.")
        fields.append((parameter.name, kind) if parameter.default is parameter.empty else (parameter.name, kind, parameter.default))
    return msgspec.defstruct(name, fields, forbid_unknown_fields=True, kw_only=True)


def described(kind: Any) -> Any:
    """Return a type with its words, `Annotated[str, "what to look for"]`, as the schema tells them."""
    if get_origin(kind) is Annotated:
        inner, *notes = get_args(kind)
        told = [msgspec.Meta(description=note) if isinstance(note, str) else note for note in notes]
        return Annotated[inner, *told]
    return kind

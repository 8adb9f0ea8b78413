"""What a program asks of `POST /v1/chat/completions`, in OpenAI's form (platform.openai.com/docs/api-reference/chat).

What is not supported is refused by its name: to leave it out silently would answer another question than the one asked.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from .wishes import MOST_TOKENS

SYSTEM = ("system", "developer")
# Sent on as they are: what they do is between the program and the model.
PARAMETERS = (
    *("temperature", "top_p", "max_tokens", "max_completion_tokens", "reasoning_effort", "verbosity", "stop", "seed"),
    *("presence_penalty", "frequency_penalty", "logit_bias", "response_format", "top_k", "min_p", "repetition_penalty"),
)
# Taken where they ask for nothing but what happens anyway.
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "store": (False,),
    "tools": ([],),
    "functions": ([],),
    "tool_choice": ("none", "auto"),
    "parallel_tool_calls": (True, False),
    "modalities": (["text"],),
    "service_tier": ("auto", "default"),
}
IGNORED = {"user", "metadata", "safety_identifier", "prompt_cache_key"}  # about the program's own people and records
type Text = Annotated[str, Meta(max_length=1000)]


class NotSupported(Exception):
    """Something that cannot be asked for here; its text is a sentence, `param` says where it stands."""

    def __init__(self, sentence: str, param: str | None = None, code: str = "unsupported_value") -> None:
        super().__init__(sentence)
        self.param, self.code = param, code


class Part(Struct):
    type: str
    text: str = ""


class Said(Struct):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    tool_calls: list[Any] | None = None

    def text(self, place: str) -> str:
        """Return what was said; `place` names the message. Raises NotSupported for anything but text."""
        if self.role in ("tool", "function") or self.tool_calls:
            raise NotSupported("Tools cannot be called over this API.", place)
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        for number, part in enumerate(self.content):
            if part.type not in ("text", "input_text"):
                raise NotSupported(f"A message may hold text only, no {part.type[:40]}.", f"{place}.content[{number}]")
        return "".join(part.text for part in self.content)


class StreamOptions(Struct):
    include_usage: bool | None = None


class Completion(Struct):
    """What is asked for, checked."""

    model: Text
    messages: Annotated[list[Said], Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    max_tokens: Annotated[int, Meta(ge=1, le=MOST_TOKENS)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1, le=MOST_TOKENS)] | None = None
    reasoning_effort: Text | None = None
    verbosity: Text | None = None
    stop: Text | Annotated[list[Text], Meta(max_length=16)] | None = None
    seed: int | None = None
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    logit_bias: dict[str, float] | None = None
    response_format: dict[str, Any] | None = None
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None

    @property
    def wants_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)

    @property
    def parameters(self) -> dict[str, Any]:
        """What is sent on. Both names of the limit are one: which of them a model takes, staff know."""
        given = {name: value for name in PARAMETERS if (value := getattr(self, name)) is not None}
        limits = [given.pop(name) for name in ("max_tokens", "max_completion_tokens") if name in given]
        return given | ({"max_tokens": min(limits)} if limits else {})

    def spoken(self) -> tuple[str, list[tuple[str, str]]]:
        """Return the system prompt, and the role and text of each message. Raises NotSupported."""
        texts: list[tuple[str, str]] = [(said.role, said.text(f"messages[{number}]")) for number, said in enumerate(self.messages)]
        begin = next((number for number, (role, _) in enumerate(texts) if role not in SYSTEM), len(texts))
        for number, (role, _) in enumerate(texts[begin:], start=begin):
            if role in SYSTEM:
                raise NotSupported("System messages may only stand at the beginning.", f"messages[{number}]")
        if begin == len(texts):
            raise NotSupported("There is no message of a user.", "messages")
        return "\n\n".join(text for _, text in texts[:begin]), texts[begin:]


def completion_in(body: bytes) -> Completion:
    """Return what the body asks for. Raises NotSupported."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, Any])
        asked = {name: value for name, value in fields.items() if value is not None and name not in IGNORED}
        refuse_what_is_unknown(asked)
        return msgspec.convert(asked, Completion)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError) as error:
        raise NotSupported(f"This cannot be understood: {str(error)[:300]}.", code="invalid_request") from error


def refuse_what_is_unknown(asked: dict[str, Any]) -> None:
    for name in asked.keys() - set(Completion.__struct_fields__):
        if name not in NEUTRAL or not any(asked[name] == value and type(asked[name]) is type(value) for value in NEUTRAL[name]):
            raise NotSupported(f"“{name[:60]}” cannot be set over this API, or not to this value.", name[:60], "unsupported_parameter")

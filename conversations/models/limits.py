"""How many tokens a request may take: what a model reads and writes at most, and an estimate of what a text is."""

from collections.abc import Mapping
from typing import Any

from .catalog import LanguageModel

BYTES_PER_TOKEN = 3  # low for English, about right for other scripts and code: an estimate that rather trims too early
TOKENS_PER_MESSAGE = 8  # the chat template around each message
LIMITS = ("max_tokens", "max_completion_tokens")  # OpenAI's newer models take the second name only
ANSWER_SHARE = 4  # a quarter of the window is kept free for the answer, unless the model has a smaller limit


def parameters_of(model: LanguageModel, wishes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model's own parameters and over them what is wished, as far as the model takes it.

    `max_tokens` goes under the name that staff gave it in the model's parameters, and never above the model's limit.
    """
    own, wished = dict(model.parameters), dict(wishes)
    if not model.supports_reasoning:
        wished.pop("reasoning_effort", None)
    limit = wished.pop("max_tokens", None)
    name = next((name for name in LIMITS if name in own), LIMITS[0])
    if limit:
        own[name] = min(limit, model.max_output_tokens or limit)
    elif model.max_output_tokens:
        own.setdefault(name, model.max_output_tokens)
    return own | wished


def output_limit(model: LanguageModel, wishes: Mapping[str, Any]) -> int:
    """Return how many tokens an answer has at most: as the request will say, else what the context window holds."""
    parameters = parameters_of(model, wishes)
    limits = [parameters[name] for name in LIMITS if type(parameters.get(name)) is int and parameters[name] > 0]
    return int(min(*limits, model.context_window)) if limits else model.context_window


def prompt_budget(model: LanguageModel) -> int:
    reserve = model.context_window // ANSWER_SHARE
    return model.context_window - min(reserve, model.max_output_tokens or reserve)


def estimated_tokens(text: str) -> int:
    """Return about how many tokens `text` is: UTF-8 bytes by three, rounded up."""
    return tokens_in(len(text.encode("utf-8", "replace")))


def tokens_in(size: int) -> int:
    """Return about how many tokens a text of so many bytes is."""
    return -(-size // BYTES_PER_TOKEN)

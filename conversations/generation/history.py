"""What goes upstream: the conversation up to the prompt, trimmed by whole turns to what the model can read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from conversations.events import EventKind, JournalEvent, joined
from conversations.models import Generation, LanguageModel, Provider, Role
from conversations.models.messages import texts_to
from conversations.providers.base import GO_ON, ChatMessage, ChatRequest, Endpoint

from .journal import entries

BYTES_PER_TOKEN = 3  # low for English, about right for other scripts and code: an estimate that rather trims too early
TOKENS_PER_MESSAGE = 8  # the chat template around each message
LIMITS = ("max_tokens", "max_completion_tokens")  # OpenAI's newer models take the second name only
ANSWER_SHARE = 4  # a quarter of the window is kept free for the answer, unless the model has a smaller limit


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the owner of a generation is to do."""

    generation: Generation
    endpoint: Endpoint
    request: ChatRequest
    trimmed_turns: int
    begun: list[JournalEvent]  # what is in the journal already


def assignment_of(generation: Generation) -> Assignment:
    """Return the request that answers the generation's prompt, with the whole history as far as it fits.

    The generation comes from `Generation.objects.to_run()`.
    """
    model, answer = generation.model, generation.message
    assert model is not None
    model.hold_rates()
    prompts = texts_to(answer.parent_id) if answer.parent_id else []
    system_prompt = answer.conversation.system_prompt
    begun = opening_of(generation)
    kept, trimmed_turns = trim(turns_to(prompts, begun), prompt_budget(model) - estimated_tokens(system_prompt))
    parameters = parameters_of(model, answer.conversation.parameters)
    messages = [message for turn in kept for message in turn]
    request = ChatRequest(model.model_id, messages, system_prompt, parameters, reasons=model.supports_reasoning)
    return Assignment(generation, endpoint_of(model.provider), request, trimmed_turns, begun)


def opening_of(generation: Generation) -> list[JournalEvent]:
    """Return what stood in the journal before anybody ran the generation: the text that it continues."""
    if generation.message.continues is None:
        return []
    return entries(generation.pk)[: len(generation.message.continues.opening())]


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


def endpoint_of(provider: Provider) -> Endpoint:
    return Endpoint(
        protocol=provider.protocol,
        base_url=provider.base_url,
        api_key=provider.secret,
        connect_timeout=provider.connect_timeout,
        first_token_timeout=provider.first_token_timeout,
        idle_timeout=provider.idle_timeout,
        reports_usage=provider.reports_usage,
    )


type TurnMessages = list[ChatMessage]


def turns_of(messages: Iterable[tuple[str, str]]) -> list[TurnMessages]:
    """Group the roles and texts of a path into turns: a prompt and the answer to it. An answer without text is left out."""
    turns: list[TurnMessages] = []
    for role, text in messages:
        if role == Role.USER:
            turns.append([ChatMessage("user", text)])
        elif turns and text:
            turns[-1].append(ChatMessage("assistant", text))
    return turns


def turns_to(messages: Iterable[tuple[str, str]], begun: Iterable[JournalEvent]) -> list[TurnMessages]:
    """Return the turns of a path; the last prompt with the text that its answer begins with, and the wish to go on."""
    turns = turns_of(messages)
    if turns and (text := joined(begun, EventKind.TEXT_DELTA)):
        turns[-1] += [ChatMessage("assistant", text), ChatMessage("user", GO_ON)]
    return turns


def trim(turns: list[TurnMessages], budget: int) -> tuple[list[TurnMessages], int]:
    """Return the newest turns that fit into `budget` tokens, and how many older ones were left out.

    The last turn, the prompt itself, always goes: the provider says so if even that is too long.
    """
    kept = len(turns) - 1
    left = budget - turn_tokens(turns[-1])
    while kept > 0 and (left := left - turn_tokens(turns[kept - 1])) >= 0:
        kept -= 1
    return turns[kept:], kept


def prompt_budget(model: LanguageModel) -> int:
    reserve = model.context_window // ANSWER_SHARE
    return model.context_window - min(reserve, model.max_output_tokens or reserve)


def turn_tokens(turn: Iterable[ChatMessage]) -> int:
    return sum(estimated_tokens(message.text) + TOKENS_PER_MESSAGE for message in turn)


def estimated_tokens(text: str) -> int:
    """Return about how many tokens `text` is: UTF-8 bytes by three, rounded up."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


def likely_tokens(text: str) -> int:
    """Return how many tokens `text` most likely is: four characters of ASCII make one, or one and a half of any other, rounded up.

    For the ledger, where `estimated_tokens`, which rather says too many, would bill too much.
    """
    ascii_characters = len(text.encode("ascii", "ignore"))
    return -(-(3 * ascii_characters + 8 * (len(text) - ascii_characters)) // 12)

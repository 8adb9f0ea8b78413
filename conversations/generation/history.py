"""What goes upstream: the conversation up to the prompt, trimmed by whole turns to what the model can read."""

from collections.abc import Iterable
from dataclasses import dataclass

from conversations.events import EventKind, JournalEvent, joined
from conversations.models import Generation, Provider, Role
from conversations.models.limits import TOKENS_PER_MESSAGE, estimated_tokens, parameters_of, prompt_budget
from conversations.models.messages import texts_to
from conversations.providers.base import GO_ON, ChatMessage, ChatRequest, Endpoint

from .journal import entries


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
    parameters = parameters_of(model, answer.conversation.parameters | most_tokens(generation))
    messages = [message for turn in kept for message in turn]
    request = ChatRequest(model.model_id, messages, system_prompt, parameters, reasons=model.supports_reasoning)
    return Assignment(generation, endpoint_of(model.provider), request, trimmed_turns, begun)


def most_tokens(generation: Generation) -> dict[str, int]:
    """Return the parameter that holds an answer to what a budget has left for it; nothing where it has enough."""
    return {} if generation.allowance is None else {"max_tokens": generation.allowance}


def opening_of(generation: Generation) -> list[JournalEvent]:
    """Return what stood in the journal before anybody ran the generation: the text that it continues."""
    if generation.message.continues is None:
        return []
    return entries(generation.pk)[: len(generation.message.continues.opening())]


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


def turn_tokens(turn: Iterable[ChatMessage]) -> int:
    return sum(estimated_tokens(message.text) + TOKENS_PER_MESSAGE for message in turn)


def likely_tokens(text: str) -> int:
    """Return how many tokens `text` most likely is, rounded up.

    For the ledger, where `estimated_tokens`, which rather says too many, would bill too much.
    """
    return -(-twelfths_of(text) // 12)


def twelfths_of(text: str) -> int:
    """Return how many twelfths of a token `text` most likely is: four characters of ASCII make one, or one and a half of any other."""
    ascii_characters = len(text.encode("ascii", "ignore"))
    return 3 * ascii_characters + 8 * (len(text) - ascii_characters)

"""What goes upstream: the conversation up to the prompt, trimmed by whole turns to what the model can read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conversations.events import EventKind, JournalEvent, joined
from conversations.models import Generation, Provider, Role
from conversations.models.limits import estimated_tokens, parameters_of, prompt_budget
from conversations.models.messages import texts_to
from conversations.providers.base import GO_ON, ChatMessage, ChatRequest, Endpoint, ToolSpec
from conversations.tool_events import Kept, unfolded
from conversations.tools.base import Tool
from conversations.tools.registry import allowed_to

from .estimates import messages_tokens, tools_tokens
from .journal import entries
from .tool_messages import messages_of


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the owner of a generation is to do."""

    generation: Generation
    endpoint: Endpoint
    request: ChatRequest
    trimmed_turns: int
    begun: list[JournalEvent]  # what is in the journal already
    opening: int = 0  # how many of these stood there before anybody ran the generation: the answer that it continues
    tools: Sequence[Tool] = ()

    def request_after(self, journal: Sequence[JournalEvent]) -> ChatRequest:
        """Return the request of the round that follows what the journal holds, and may take what budgets have left for it now."""
        messages = [*self.request.messages, *messages_of(journal[self.opening :])]
        model, wishes = self.generation.model, self.generation.message.conversation.parameters
        assert model is not None
        return replace(self.request, messages=messages, parameters=parameters_of(model, wishes | most_tokens(self.generation)))


def assignment_of(generation: Generation) -> Assignment:
    """Return the request that answers the generation's prompt, with the whole history as far as it fits.

    The generation comes from `Generation.objects.to_run()`.
    """
    model, answer = generation.model, generation.message
    assert model is not None
    model.hold_rates()
    prompts = texts_to(answer.parent_id) if answer.parent_id else []
    system_prompt = answer.conversation.system_prompt
    begun, opening = begun_of(generation)
    tools = allowed_to(answer.conversation.owner_id, model)
    specs = [ToolSpec(tool.name, tool.description, tool.schema) for tool in tools]
    turns = turns_to(prompts, begun[:opening], with_tools=bool(tools))
    kept, trimmed_turns = trim(turns, prompt_budget(model) - estimated_tokens(system_prompt) - tools_tokens(specs))
    parameters = parameters_of(model, answer.conversation.parameters | most_tokens(generation))
    messages = [message for turn in kept for message in turn]
    request = ChatRequest(model.model_id, messages, system_prompt, parameters, specs, reasons=model.supports_reasoning)
    return Assignment(generation, endpoint_of(model.provider), request, trimmed_turns, begun, opening, tools)


def most_tokens(generation: Generation) -> dict[str, int]:
    """Return the parameter that holds an answer to what a budget has left for it; nothing where it has enough."""
    return {} if generation.allowance is None else {"max_tokens": generation.allowance}


def begun_of(generation: Generation) -> tuple[list[JournalEvent], int]:
    """Return what is in the journal already, and how many of these events nobody wrote who ran the generation."""
    continued = generation.message.continues
    if continued is None and generation.attempt <= 1:
        return [], 0
    return entries(generation.pk), len(continued.opening()) if continued else 0


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


type PathRow = tuple[str, str, list[dict[str, Any]] | None]  # role, text, events of tools


def turns_of(messages: Iterable[PathRow], *, with_tools: bool = False) -> list[TurnMessages]:
    """Group the messages of a path into turns: a prompt and the answer to it. An answer without text is left out.

    A model that may call no tools is not told of calls, which its provider may not know what to do with.
    """
    turns: list[TurnMessages] = []
    for role, text, tool_events in messages:
        if role == Role.USER:
            turns.append([ChatMessage("user", text)])
        elif turns and tool_events and with_tools:
            turns[-1] += messages_of(unfolded(Kept(text, "", tool_events)))
        elif turns and text:
            turns[-1].append(ChatMessage("assistant", text))
    return turns


def turns_to(messages: Iterable[PathRow], begun: Iterable[JournalEvent], *, with_tools: bool = False) -> list[TurnMessages]:
    """Return the turns of a path; the last prompt with the text that its answer begins with, and the wish to go on."""
    turns = turns_of(messages, with_tools=with_tools)
    if turns and (text := joined(begun, EventKind.TEXT_DELTA)):
        turns[-1] += messages_of(begun) if with_tools else [ChatMessage("assistant", text)]
        turns[-1].append(ChatMessage("user", GO_ON))
    return turns


def trim(turns: list[TurnMessages], budget: int) -> tuple[list[TurnMessages], int]:
    """Return the newest turns that fit into `budget` tokens, and how many older ones were left out.

    The last turn, the prompt itself, always goes: the provider says so if even that is too long.
    """
    kept = len(turns) - 1
    left = budget - messages_tokens(turns[-1])
    while kept > 0 and (left := left - messages_tokens(turns[kept - 1])) >= 0:
        kept -= 1
    return turns[kept:], kept

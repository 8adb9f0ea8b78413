"""The round behind tools: an attempt of its own, whose worst case the budgets hold before anything is sent."""

from django.db import transaction

from conversations.models import Generation
from conversations.models.holds import hold_instead
from conversations.models.limits import TOKENS_PER_MESSAGE, estimated_tokens, output_limit
from conversations.models.needs import Need
from conversations.providers.base import ChatRequest

from .history import tokens_of, turn_tokens


def begin_next_round(generation: Generation, request: ChatRequest, *, is_asked: bool) -> bool:
    """Begin the attempt that sends `request`; False, and nothing changed, if somebody else owns the generation now.

    `is_asked` says that the attempt there is has asked a provider, and another one is to. Raises NothingLeft, with nothing changed, where
    no budget pays for it.
    """
    former = generation.attempt
    try:
        with transaction.atomic():
            won = generation.begin_next_attempt() if is_asked else generation.holds_lease()
            if won and generation.is_budgeted:
                hold_instead(generation, need_of(generation, request))
    except Exception:
        generation.attempt = former
        raise
    return won


def need_of(generation: Generation, request: ChatRequest) -> Need:
    assert generation.model is not None
    read = estimated_tokens(request.system_prompt) + TOKENS_PER_MESSAGE + turn_tokens(request.messages) + tokens_of(request.tools)
    return Need.of(generation.model, read, output_limit(generation.model, generation.message.conversation.parameters))

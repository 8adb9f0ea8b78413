"""The round behind tools: an attempt of its own, whose worst case the budgets hold before anything is sent."""

from django.db import transaction

from conversations.models import Generation
from conversations.models.holds import hold_instead
from conversations.models.limits import output_limit
from conversations.providers.base import ChatRequest

from .estimates import need_of


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
                hold_for_round(generation, request)
    except Exception:
        generation.attempt = former
        raise
    return won


def hold_for_round(generation: Generation, request: ChatRequest) -> None:
    assert generation.model is not None
    longest = output_limit(generation.model, generation.message.conversation.parameters)
    hold_instead(generation, need_of(request, generation.model, longest))

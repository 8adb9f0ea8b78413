"""Orders of programs: what is done before a call, and after it. Both are one transaction, whatever comes in between."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db import transaction

from conversations.events import clean
from conversations.models import ApiCall, ApiToken, LanguageModel, Reservation, Usage
from conversations.models.budgets import pay
from conversations.models.calls import begin_call
from conversations.models.holds import hold_for_call
from conversations.models.limits import output_limit, parameters_of
from conversations.providers.base import ChatMessage, ChatRequest

from .ending import Outcome, amount_of, fill
from .estimates import estimate, need_of

MOST_SETTLED = 100  # at once


@dataclass(frozen=True, slots=True)
class Order:
    """What a program asks for, and for whom."""

    person: User
    token: ApiToken
    model: LanguageModel
    request: ChatRequest
    wishes: Mapping[str, Any]


class Opened(NamedTuple):
    """A call that may go on: its row, what is sent upstream, and how many tokens of output its budgets pay; None: enough."""

    row: ApiCall
    request: ChatRequest
    allowance: int | None


def order_of(
    person: User, token: ApiToken, model: LanguageModel, system_prompt: str, messages: Sequence[tuple[str, str]], wishes: Mapping[str, Any]
) -> Order:
    """Return the order for what was said: roles and texts."""
    said = [ChatMessage(role, clean(text)) for role, text in messages]
    parameters = parameters_of(model, wishes)
    request = ChatRequest(model.model_id, said, clean(system_prompt), parameters, purpose="api", reasons=model.supports_reasoning)
    return Order(person, token, model, request, wishes)


@transaction.atomic
def begin(order: Order) -> Opened:
    """Before the call: what limits a person, and what the call may cost, in one transaction; the prices are those of now."""
    order.model.hold_rates()
    row = begin_call(order.person, order.token, order.model, estimate(order.request, "", "").input_tokens)
    allowance = hold_for_call(row, need_of(order.request, order.model, output_limit(order.model, order.wishes)))
    if allowance is None:
        return Opened(row, order.request, None)
    parameters = parameters_of(order.model, {**order.wishes, "max_tokens": allowance})
    return Opened(row, replace(order.request, parameters=parameters), allowance)


@transaction.atomic
def finish(row: ApiCall, order: Order, outcome: Outcome, written: tuple[str, str]) -> Usage:
    """After the call: it is closed, in the ledger and paid, in one transaction.

    Done again, because its commit was not heard of, it changes nothing.
    """
    usage = Usage(purpose=Usage.Purpose.API, person=order.person, token=order.token)
    fill(usage, order.model, outcome.request or order.request, outcome, *written)
    close(row, usage)
    return usage


def close(row: ApiCall, usage: Usage) -> None:
    """Write the ledger and pay, unless that has been done."""
    held = list(Reservation.objects.filter(call=row))
    if row.close():
        usage.save()
        pay(held, amount_of(usage))


def settle_lost() -> None:
    """Account for calls whose process died: what was asked, because nobody knows what was answered."""
    for lost in ApiCall.objects.lost().select_related("model")[:MOST_SETTLED]:
        usage = Usage(purpose=Usage.Purpose.API, person_id=lost.person_id, token_id=lost.token_id)
        usage.input_tokens, usage.is_estimated = lost.input_tokens, True
        usage.take_prices(lost.model)
        with transaction.atomic():
            close(lost, usage)

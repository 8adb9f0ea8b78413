"""What is held of budgets before anything is sent upstream: the worst case of an answer, or what is left of it.

It is the last thing of the transaction that begins a turn. Without budgets it is one look-up.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.dateformat import format as formatted

from .budgets import Amount, Budget, BudgetPeriod, Reservation, budgets_of, periods_of, release, release_for, today
from .calls import ApiCall
from .catalog import LanguageModel
from .conversations import Conversation
from .generations import Generation
from .messages import Message
from .needs import Need, need_of
from .refusals import NothingLeft

USED_UP = "{name} is used up. It begins again {when}."
TOO_LITTLE = (
    "What is left of {name} does not pay for an answer here. Pick a cheaper model, start a new chat, or wait: it begins again {when}."
)
HELD = "What is left of {name} is held for answers that are being written. Send again when they have ended."
FORGOTTEN_SECONDS = 3600  # nobody works on a title for so long

type Pair = tuple[Budget, BudgetPeriod]


class Held(NamedTuple):
    """What is held, and the tokens of output it pays; None: as many as there can be."""

    allowance: int | None
    reservations: list[Reservation]


def hold_for(conversation: Conversation, answers: Iterable[Message]) -> None:
    """Hold what each of the answers, just queued, may take of the budgets of its owner. Raises NothingLeft."""
    budgets = budgets_of(conversation.owner_id)
    for answer in answers if budgets else ():
        generation = answer.generation
        # Read whole: the caller's may be the part that a look-up needs.
        model = LanguageModel.objects.select_related("provider").get(generations=generation)
        held = hold(budgets, conversation.owner_id, need_of(conversation, answer, model), generation)
        generation.is_budgeted, generation.allowance = True, held.allowance
        Generation.objects.filter(pk=generation.pk).update(is_budgeted=True, allowance=generation.allowance)


def hold_instead(generation: Generation, need: Need) -> None:
    """Hold what the next request for an answer may take, in place of what was held for the one before. Raises NothingLeft."""
    person = generation.message.conversation.owner_id
    release_for(generation.pk)
    generation.allowance = hold(budgets_of(person), person, need, generation).allowance
    Generation.objects.filter(pk=generation.pk).update(allowance=generation.allowance)


@transaction.atomic
def hold_for_title(owner: int, need: Need) -> list[Reservation]:
    """Hold the worst case of a title. Raises NothingLeft where a budget has less."""
    held = hold(budgets_of(owner), owner, need)
    if held.allowance is not None:
        raise NothingLeft("A title costs more than is left.")
    return held.reservations


def hold_for_call(call: ApiCall, need: Need) -> int | None:
    """Hold what a call may take; return its allowance of output in tokens, None where the budgets have enough. Raises NothingLeft."""
    return hold(budgets_of(call.person_id), call.person_id, need, call=call).allowance


def hold(budgets: Sequence[Budget], person: int, need: Need, generation: Generation | None = None, call: ApiCall | None = None) -> Held:
    """Hold of each budget the worst case, or what is left. Raises NothingLeft where that is too little to begin."""
    if not budgets:
        return Held(None, [])
    pairs = locked(budgets, person)
    tokens = min(need.tokens_within(budget, taken_of(period)) for budget, period in pairs)
    if tokens < need.least:
        raise NothingLeft(refusal(pairs, need))
    amount = need.worth(tokens)
    held = [hold_of(budget, period, amount, generation, call) for budget, period in pairs]
    return Held(tokens if tokens < need.output.tokens else None, held)


def locked(budgets: Sequence[Budget], person: int) -> list[Pair]:
    """The budgets with their periods of now, whose rows are held until the transaction ends."""
    day = today()  # asked once: midnight may come in between
    known = set(periods_of(budgets, person, day).values_list("budget", flat=True))
    if new := [budget for budget in budgets if budget.pk not in known]:
        rows = [BudgetPeriod(budget=budget, holder=budget.holder(person), starts_on=budget.starts_on(day)) for budget in new]
        BudgetPeriod.objects.bulk_create(rows, ignore_conflicts=True)
    by_key = {budget.pk: budget for budget in budgets}
    return [(by_key[period.budget_id], period) for period in periods_of(budgets, person, day).select_for_update()]


def hold_of(budget: Budget, period: BudgetPeriod, amount: Amount, generation: Generation | None, call: ApiCall | None) -> Reservation:
    """Hold an amount of a budget, as far as it limits it, in one guarded update."""
    cost, tokens = amount.cost if budget.limit is not None else 0, amount.tokens if budget.token_limit is not None else 0
    rows = BudgetPeriod.objects.filter(pk=period.pk)
    if cost:
        rows = rows.filter(used_cost__lte=(budget.limit or 0) - cost - F("held_cost"))
    if tokens:
        rows = rows.filter(used_tokens__lte=(budget.token_limit or 0) - tokens - F("held_tokens"))
    if not rows.update(held_cost=F("held_cost") + cost, held_tokens=F("held_tokens") + tokens):
        raise NothingLeft(told(HELD, budget))
    return Reservation.objects.create(generation=generation, call=call, period=period, cost=cost, tokens=tokens)


def taken_of(period: BudgetPeriod) -> Amount:
    return Amount(period.used_cost + period.held_cost, period.used_tokens + period.held_tokens)


def refusal(pairs: Iterable[Pair], need: Need) -> str:
    """Say which budget does not pay an answer, and when it will."""
    short = [(budget, period) for budget, period in pairs if need.tokens_within(budget, taken_of(period)) < need.least]
    for budget, period in short:
        if need.tokens_within(budget, Amount(period.used_cost, period.used_tokens)) < need.least:
            return told(USED_UP if period.is_used_up else TOO_LITTLE, budget)
    return told(HELD, short[0][0])


def told(sentence: str, budget: Budget) -> str:
    is_daily = budget.period == Budget.Period.DAY
    when = f"at midnight ({settings.TIME_ZONE})" if is_daily else f"on {formatted(budget.begins_again_on(today()), 'j F')}"
    text = sentence.format(name=f"{budget.name} for {'today' if is_daily else 'this month'}", when=when)
    return text[0].upper() + text[1:]


def release_forgotten() -> None:
    """Give back what is held for titles whose process died, and for answers that are gone with their account."""
    release(Reservation.objects.filter(generation=None, call=None, created_at__lt=timezone.now() - timedelta(seconds=FORGOTTEN_SECONDS)))

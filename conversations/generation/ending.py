"""How a generation ends: one transaction folds the journal into the message, accounts for the attempt and sets the status."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.db import transaction

from conversations.events import EventKind, joined
from conversations.models import Generation, LanguageModel, Status, Usage
from conversations.models.budgets import Amount, charge_for, release_for
from conversations.models.catalog import model_key
from conversations.models.generations import STOPPED as STOPPED
from conversations.providers.base import ChatRequest, Stream, UsageReport
from conversations.providers.errors import ProviderError
from conversations.tool_events import TOOLS, open_calls, waits_for_person

from .changes import Kind, tell_of
from .estimates import estimate
from .history import assignment_of, begun_of

MAX_TAKEOVERS = 3  # a generation that brings down its process each time is not tried for ever

RESTARTED = "The server was restarted while this answer was being written. What there is of it is kept; try again for a whole one."
CRASHED = "The server stopped in the middle of this answer. What there is of it is kept; try again for a whole one."
BROKEN = "Something went wrong on our side. What there is of the answer is kept; try again."


@dataclass(slots=True)
class Outcome:
    """What became of one attempt, as far as its owner knows."""

    status: Status
    error_code: str = ""
    error_sentence: str = ""
    error_detail: str = ""
    finish_reason: str = ""
    usage: UsageReport | None = None
    request_id: str = ""
    first_token_at: datetime | None = None
    trimmed_turns: int = 0
    reached_model: bool = True
    attempt: int | None = None  # where it is not the generation's own: the attempt of an owner that died
    request: ChatRequest | None = field(default=None, repr=False)
    begun: int = 0  # entries of the journal that this attempt did not write: what the answer continues, and rounds before
    is_accounted: bool = False

    def fail(self, error: ProviderError) -> None:
        self.break_off(Status.FAILED, error.told(has_begun=self.first_token_at is not None), error.code)
        self.error_detail, self.reached_model = error.detail, error.reached_model

    def break_off(self, status: Status, sentence: str, code: str = "") -> None:
        self.status, self.error_sentence, self.error_code = status, sentence, code

    def begin_attempt(self) -> None:
        """Forget what is known of the attempt before: another one is about to be sent."""
        self.reached_model, self.usage, self.request_id = True, None, ""

    def note(self, stream: Stream) -> None:
        """Keep what the stream knows of the attempt, however it ended."""
        self.usage, self.request_id, self.finish_reason = stream.usage, stream.request_id, stream.finish_reason


@transaction.atomic
def requeue(generation: Generation, outcome: Outcome) -> None:
    """Give the generation back unbegun, so that another process runs it again; this attempt is accounted for."""
    if generation.give_back():
        account(generation, outcome, "", "")


@transaction.atomic
def settle(generation: Generation) -> bool:
    """Close what nobody may run again; False if the generation, just claimed once more, is to be run.

    What a lost owner has shown is kept and marked interrupted; with nothing shown the answer is begun anew, a few times, and one that
    only waits for a person goes on waiting.
    """
    if not generation.is_taken_over:  # given back in order, and accounted for
        if generation.stop_requested_at is None:
            return False
        end(generation, Outcome(Status.STOPPED, error_sentence=STOPPED))
        return True
    outcome = outcome_of_lost(generation)
    if outcome.status == Status.INTERRUPTED and generation.model is not None and can_go_on(generation):
        account(generation, outcome, "", "")
        return False
    end(generation, outcome)
    return True


def can_go_on(generation: Generation) -> bool:
    """Whether somebody else can run it without taking back what has been shown."""
    begun, opening = begun_of(generation)
    return len(begun) == opening or waits_for_person(begun)


def outcome_of_lost(generation: Generation) -> Outcome:
    """What became of the attempt whose owner was lost, as far as the database knows."""
    outcome = Outcome(Status.INTERRUPTED, error_sentence=CRASHED, attempt=generation.attempt - 1)
    if generation.model is not None:
        assignment = assignment_of(generation)
        outcome.request, outcome.trimmed_turns = assignment.request_after(assignment.begun), assignment.trimmed_turns
    begun, opening = begun_of(generation)
    outcome.begun = max([opening, *(event.position for event in begun if event.kind in TOOLS)])
    asked_for = Usage.objects.filter(generation=generation, attempt=generation.attempt - 1)
    outcome.is_accounted = bool(open_calls(begun)) or asked_for.exists()  # with calls open nothing was asked since they were told
    if generation.stop_requested_at:
        outcome.break_off(Status.STOPPED, STOPPED)
    elif generation.takeovers >= MAX_TAKEOVERS:
        outcome.break_off(Status.FAILED, BROKEN, "too_many_attempts")
    return outcome


@transaction.atomic
def end(generation: Generation, outcome: Outcome) -> bool:
    """End the generation, as the owner of this attempt; False, and nothing changed, if somebody else owns it now."""
    won = generation.finish(
        outcome.status,
        error_code=outcome.error_code,
        error_sentence=outcome.error_sentence,
        error_detail=outcome.error_detail,
        finish_reason=outcome.finish_reason[:40],
        first_token_at=outcome.first_token_at,
        trimmed_turns=outcome.trimmed_turns,
    )
    if won:
        written = generation.fold()[outcome.begun :]
        account(generation, outcome, joined(written, EventKind.TEXT_DELTA), joined(written, EventKind.REASONING_DELTA))
        if generation.is_budgeted:
            release_for(generation.pk)
        transaction.on_commit(partial(tell_of, generation.message.conversation, Kind.ENDED, generation.message_id))
    return won


def account(generation: Generation, outcome: Outcome, text: str, reasoning: str) -> None:
    """Write the attempt into the ledger, as the provider counted, or else by an estimate that says so, and count it in the budgets."""
    if generation.model is None or outcome.request is None or outcome.is_accounted:
        return  # nothing was sent upstream, or its row is there
    person = generation.message.conversation.owner_id
    usage = Usage(generation=generation, attempt=outcome.attempt or generation.attempt, person_id=person)
    amount = enter(usage, generation.model, outcome.request, outcome, text, reasoning)
    if generation.is_budgeted:
        charge_for(generation.pk, amount)


@transaction.atomic
def account_for_round(generation: Generation, outcome: Outcome, text: str, reasoning: str) -> bool:
    """Account for an attempt that ended with calls of tools; False, and nothing written, if somebody else owns the generation now."""
    if not generation.holds_lease():
        return False
    if not Usage.objects.filter(generation=generation, attempt=generation.attempt).exists():  # else its commit was not heard of
        account(generation, outcome, text, reasoning)
    return True


def enter(usage: Usage, model: LanguageModel, request: ChatRequest, outcome: Outcome, text: str, reasoning: str) -> Amount:
    """Write an attempt that asked `model` for `request` as a row of the ledger; return what it takes from budgets."""
    fill(usage, model, request, outcome, text, reasoning)
    usage.save()
    return amount_of(usage)


def fill(usage: Usage, model: LanguageModel, request: ChatRequest, outcome: Outcome, text: str, reasoning: str) -> None:
    """Fill in what an attempt used and cost."""
    counted = outcome.usage
    usage.is_estimated, usage.provider_request_id = counted is None, outcome.request_id[:200]
    if counted is None:
        billed = outcome.reached_model or text or reasoning
        counted = estimate(request, text, reasoning) if billed else UsageReport(0, 0)
    usage.input_tokens, usage.cached_tokens = counted.input_tokens, min(counted.cached_tokens, counted.input_tokens)
    usage.cache_write_tokens = min(counted.cache_write_tokens, usage.input_tokens - usage.cached_tokens)
    usage.output_tokens, usage.reasoning_tokens = counted.output_tokens, counted.reasoning_tokens
    usage.take_prices(model)
    if not model_key(model.pk):
        usage.model = None  # deleted meanwhile; its name and prices are known all the same


def amount_of(usage: Usage) -> Amount:
    """Return what a row of the ledger takes from budgets."""
    return Amount.of(usage.cost, usage.input_tokens + usage.output_tokens)

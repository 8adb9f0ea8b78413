"""The allowance of an answer: what its budgets had left for it, where that is less than the longest answer.

The provider is asked for no more (`history.most_tokens`). One that does not keep to it is counted here, without asking the database.
"""

from collections.abc import Iterable

from conversations.events import Event
from conversations.models import Status
from conversations.models.generations import OUTPUT_LIMIT

from .ending import Outcome
from .estimates import twelfths_of

CODE = "budget"
SPENT = "The answer ends here because the budget has no more left for it. What there is of it is kept."


class Allowance:
    """Counts what is written, by the estimate of the ledger. `tokens` is None where the budgets have enough."""

    def __init__(self, tokens: int | None) -> None:
        self._tokens, self._twelfths, self._is_spent = tokens, 0, False

    def is_spent_by(self, events: Iterable[Event]) -> bool:
        """Count what was just written; True where nothing more of it is paid for."""
        if self._tokens is not None:
            self._twelfths += sum(twelfths_of(event.data) for event in events)
            self._is_spent = self._twelfths > 12 * self._tokens
        return self._is_spent

    def say_so(self, outcome: Outcome) -> None:
        """Give an answer that ended at its allowance that reason, also where it was the provider that kept to it."""
        if self._is_spent or (self._tokens is not None and outcome.finish_reason.lower() in OUTPUT_LIMIT):
            outcome.break_off(Status.STOPPED, SPENT, CODE)

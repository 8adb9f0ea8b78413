"""What is left of budgets, in the words and amounts that a person reads."""

from dataclasses import dataclass
from decimal import Decimal

from conversations.models.budgets import DOLLAR, Budget, BudgetPeriod, budgets_of, periods_of, today
from conversations.models.holds import USED_UP, told

from .answers import dollars

LOW = 20  # percent: with less left it is said beside the composer


@dataclass(frozen=True, slots=True)
class Measure:
    """One limit of a budget: what is left of it, in its own unit."""

    left: int
    limit: int
    held: int
    is_money: bool

    @property
    def percent(self) -> int:
        """What is left, rounded down."""
        return 100 * self.left // self.limit if self.limit else 0

    @property
    def text(self) -> str:
        return f"{dollars_of(self.left)} of {dollars_of(self.limit)}" if self.is_money else f"{self.left:,} of {self.limit:,} tokens"

    @property
    def held_text(self) -> str:
        """What is held for answers that are being written; "" where nothing is."""
        return (dollars_of(self.held) if self.is_money else f"{self.held:,}") if self.held else ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a person stands with one budget."""

    budget: Budget
    measures: list[Measure]

    @property
    def name(self) -> str:
        """For example “Your budget for this month”."""
        return told("{name}", self.budget)

    @property
    def renewal(self) -> str:
        return told("It begins again {when}.", self.budget)

    @property
    def scarcest(self) -> Measure:
        return min(self.measures, key=lambda measure: measure.percent)

    @property
    def is_low(self) -> bool:
        return self.scarcest.percent < LOW

    @property
    def sentence(self) -> str:
        """What is said beside the composer."""
        if not self.scarcest.left:
            return told(USED_UP, self.budget)
        return f"{self.name}: {self.scarcest.text} left."


def standings_of(person: int) -> list[Standing]:
    """How a person stands with each of their budgets. Without one it is one look-up."""
    budgets = budgets_of(person)
    rows = {row.budget_id: row for row in periods_of(budgets, person, today())} if budgets else {}
    return [Standing(budget, measures(budget, rows.get(budget.pk) or BudgetPeriod())) for budget in budgets]


def low_of(person: int) -> list[Standing]:
    """Those of which little is left."""
    return [standing for standing in standings_of(person) if standing.is_low]


def measures(budget: Budget, row: BudgetPeriod) -> list[Measure]:
    """What is left of each limit that a budget has."""
    found = []
    if budget.limit is not None:
        found.append(Measure(max(0, budget.limit - row.used_cost), budget.limit, row.held_cost, is_money=True))
    if budget.token_limit is not None:
        found.append(Measure(max(0, budget.token_limit - row.used_tokens), budget.token_limit, row.held_tokens, is_money=False))
    return found


def dollars_of(cost: int) -> str:
    return dollars(Decimal(cost) / DOLLAR)

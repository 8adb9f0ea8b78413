"""What was spent, in the numbers that a person reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Self

from conversations.models.spending import Day, Spent

from .answers import dollars


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table of `usage.html`."""

    name: str
    numbers: tuple[str, ...]

    @classmethod
    def of(cls, spent: Spent) -> Self:
        counts = (spent.requests, spent.input_tokens, spent.output_tokens)
        return cls(spent.model_name, (*(f"{count:,}" for count in counts), dollars(spent.cost)))


def rows_of(days: Iterable[Day]) -> list[tuple[date, list[Row]]]:
    return [(day.day, [Row.of(spent) for spent in day.spent]) for day in days]

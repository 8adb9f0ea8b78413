"""What the ledger says of a person's months, by day and model. Days are those of the site's time zone, as in budgets."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Self

from django.db.models import Count, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from .budgets import today
from .usage import Usage

FIRST_YEAR = 2000  # nobody asked a model anything before


@dataclass(slots=True)
class Spent:
    """What was spent on one model, or on all."""

    model_name: str = ""
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal = Decimal(0)

    def add(self, other: "Spent") -> None:
        self.requests += other.requests
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.cost += other.cost


@dataclass(slots=True)
class Day:
    day: date
    spent: list[Spent] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the calendar, from its `first` day on."""

    first: date

    @classmethod
    def parse(cls, value: str) -> Self:
        """Return the month that `value` names as 2026-11; the one of today for what names none, or one that has not come."""
        now = today().replace(day=1)
        try:
            first = datetime.strptime(value[:7], "%Y-%m").date()
        except ValueError:
            return cls(now)
        return cls(first if first.year >= FIRST_YEAR and first <= now else now)

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"

    @property
    def next(self) -> Self:
        return type(self)(date(self.first.year + self.first.month // 12, self.first.month % 12 + 1, 1))

    @property
    def previous(self) -> Self:
        return type(self)(date(self.first.year - (self.first.month == 1), (self.first.month - 2) % 12 + 1, 1))

    @property
    def is_now(self) -> bool:
        return self.first == today().replace(day=1)

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """When it begins, and when the next one does."""
        zone = timezone.get_default_timezone()
        return datetime.combine(self.first, time.min, zone), datetime.combine(self.next.first, time.min, zone)

    def days_of(self, person: int) -> list[Day]:
        """What a person spent, the newest day first, on each by model; one query."""
        zone, days = timezone.get_default_timezone(), dict[date, Day]()
        begin, end = self.moments
        rows = Usage.objects.filter(person=person, created_at__gte=begin, created_at__lt=end)
        sums = {name: Sum(name) for name in ("input_tokens", "output_tokens", "cost")}
        by_day = rows.annotate(day=TruncDate("created_at", tzinfo=zone)).values_list("day", "model_name")
        for day, *spent in by_day.annotate(requests=Count("pk"), **sums).order_by("-day", "model_name"):
            days.setdefault(day, Day(day)).spent.append(Spent(*spent))
        return list(days.values())


def total_of(days: list[Day]) -> Spent:
    total = Spent()
    for day in days:
        for spent in day.spent:
            total.add(spent)
    return total

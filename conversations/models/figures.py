"""What the ledger and the generations say of a month: by day, and by model, provider, person or group. Two queries, whatever there is."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from .generations import Generation, Status
from .spending import Month
from .usage import Usage

# By what, and where it stands in a row of the ledger and in a generation.
DIMENSIONS = {
    "model": ("model_name", "model_name"),
    "provider": ("model__provider__name", "model__provider__name"),
    "person": ("person__username", "message__conversation__owner__username"),
    "group": ("person__groups__name", "message__conversation__owner__groups__name"),
}
BROKEN = (Status.FAILED, Status.INTERRUPTED)


@dataclass(slots=True)
class Figures:
    """Of one model, provider, person or group. Who is in several groups counts in each."""

    name: str = ""
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal = Decimal(0)
    answers: int = 0
    broken: int = 0
    to_first_token: timedelta | None = None

    def add(self, spent: "DayFigures") -> None:
        self.requests += spent.requests
        self.input_tokens += spent.input_tokens
        self.output_tokens += spent.output_tokens
        self.cost += spent.cost

    @property
    def error_rate(self) -> float | None:
        """The share of answers that broke; None without an answer."""
        return self.broken / self.answers if self.answers else None


@dataclass(frozen=True, slots=True)
class DayFigures:
    day: date
    name: str
    requests: int
    input_tokens: int
    output_tokens: int
    cost: Decimal


def days_of(month: Month, dimension: str) -> list[DayFigures]:
    """What was spent, the oldest day first."""
    begin, end = month.moments
    rows = Usage.objects.filter(created_at__gte=begin, created_at__lt=end)
    by_day = rows.annotate(day=TruncDate("created_at", tzinfo=timezone.get_default_timezone()))
    name, sums = DIMENSIONS[dimension][0], {field: Sum(field) for field in ("input_tokens", "output_tokens", "cost")}
    found = by_day.values_list("day", name).annotate(requests=Count("pk"), **sums).order_by("day", name)
    return [DayFigures(day, name or "", *rest) for day, name, *rest in found]


def figures_of(month: Month, dimension: str, days: list[DayFigures]) -> list[Figures]:
    """The same for the whole month, with how its answers went; what cost most comes first."""
    found: dict[str, Figures] = {}
    for spent in days:
        found.setdefault(spent.name, Figures(spent.name)).add(spent)
    for name, answers, broken, wait in answers_of(month, dimension):
        figures = found.setdefault(name or "", Figures(name or ""))
        figures.answers, figures.broken, figures.to_first_token = answers, broken, wait
    return sorted(found.values(), key=lambda figures: (-figures.cost, -figures.requests, figures.name))


def answers_of(month: Month, dimension: str) -> Any:
    """Name, answers, how many of them broke, and the mean time to the first token. Of deleted conversations nothing is known any more."""
    begin, end = month.moments
    waited = ExpressionWrapper(F("first_token_at") - F("queued_at"), output_field=DurationField())
    rows = Generation.objects.filter(queued_at__gte=begin, queued_at__lt=end).order_by()
    broken = Count("pk", filter=Q(status__in=BROKEN))
    return rows.values_list(DIMENSIONS[dimension][1]).annotate(answers=Count("pk"), broken=broken, wait=Avg(waited))

"""What a month cost, as charts and tables, and as CSV: by day, and by model, provider, person or group."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateformat import format as formatted
from django.views.decorators.http import require_GET

from conversations.models.figures import DIMENSIONS, DayFigures, Figures, days_of, figures_of
from conversations.models.spending import Month

from .amounts import plain

HEIGHT, BAR, GAP = 120, 16, 4  # units of the drawing
COLUMNS = ("day", "name", "requests", "input_tokens", "output_tokens", "cost")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would run


@dataclass(frozen=True, slots=True)
class Bar:
    """A day in a chart."""

    x: int
    height: int
    label: str

    @property
    def y(self) -> int:
        return HEIGHT - self.height


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    bars: list[Bar]
    width: int
    most: str


@require_GET
def dashboard(request: HttpRequest) -> HttpResponse:
    """The month of `?month=2026-11`, by what `?by=` names; with `?format=csv` the rows of its days."""
    if not request.user.has_perm("conversations.view_usage"):
        raise PermissionDenied
    month = Month.parse(request.GET.get("month", ""))
    dimension = request.GET.get("by", "") if request.GET.get("by") in DIMENSIONS else "model"
    days = days_of(month, dimension)
    if request.GET.get("format") == "csv":
        return as_csv(days, f"usage-{month}-by-{dimension}.csv")
    context = {
        "title": f"Usage in {formatted(month.first, 'F Y')}",
        "month": month,
        "by": dimension,
        "dimensions": list(DIMENSIONS),
        "charts": charts_of(month, days),
        "rows": [row_of(figures) for figures in figures_of(month, dimension, days)],
    }
    return render(request, "admin/conversations/usage/dashboard.html", admin.site.each_context(request) | context)


def charts_of(month: Month, days: Iterable[DayFigures]) -> list[Chart]:
    """Those in which there is something to see."""
    costs, tokens = dict[date, Decimal](), dict[date, Decimal]()
    for spent in days:
        costs[spent.day] = costs.get(spent.day, Decimal(0)) + spent.cost
        tokens[spent.day] = tokens.get(spent.day, Decimal(0)) + spent.input_tokens + spent.output_tokens
    shown = {"US dollars a day": costs, "Tokens a day": tokens}
    return [chart_of(month, title, amounts) for title, amounts in shown.items() if any(amounts.values())]


def chart_of(month: Month, title: str, amounts: dict[date, Decimal]) -> Chart:
    count, most = (month.next.first - month.first).days, max(amounts.values(), default=Decimal(0))
    bars = []
    for number in range(count):
        day = month.first + timedelta(days=number)
        amount = amounts.get(day, Decimal(0))
        height = int(HEIGHT * amount / most) if most else 0
        bars.append(Bar(number * (BAR + GAP), height, f"{formatted(day, 'j F')}: {told(amount)}"))
    return Chart(title, bars, count * (BAR + GAP), told(most))


def row_of(figures: Figures) -> tuple[str, ...]:
    """The cells of a row of the table."""
    wait, rate = figures.to_first_token, figures.error_rate
    return (
        figures.name or "unknown",
        *(f"{number:,}" for number in (figures.requests, figures.input_tokens, figures.output_tokens)),
        told(figures.cost),
        f"{figures.answers:,}",
        "" if rate is None else f"{rate:.1%}",
        "" if wait is None else f"{wait.total_seconds():.2f} s",
    )


def told(amount: Decimal) -> str:
    return f"{amount:,.0f}" if amount == int(amount) else plain(amount.quantize(Decimal("0.000001")))


def as_csv(days: Iterable[DayFigures], name: str) -> HttpResponse:
    """A row for each day and model, provider, person or group. A name that looks like a formula is marked as text."""
    file = StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for spent in days:
        text = f"'{spent.name}" if spent.name.startswith(FORMULA) else spent.name
        writer.writerow([spent.day.isoformat(), text, spent.requests, spent.input_tokens, spent.output_tokens, plain(spent.cost)])
    return HttpResponse(file.getvalue(), "text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'})

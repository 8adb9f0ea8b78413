"""What a person has used, by day and model, and what is left of their budgets."""

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from conversations.models.spending import Month, total_of
from conversations.rendering.budgets import standings_of
from conversations.rendering.spending import Row, rows_of

from .pages import page
from .requests import SignedInRequest, signed_in


@require_GET
@signed_in
def show(request: SignedInRequest) -> HttpResponse:
    """One month: that of today, or the one of `?month=2026-11`."""
    month = Month.parse(request.GET.get("month", ""))
    days = month.days_of(request.user.pk)
    total, standings = Row.of(total_of(days)), standings_of(request.user.pk)
    return page(request, "usage.html", month=month, days=rows_of(days), total=total, standings=standings)

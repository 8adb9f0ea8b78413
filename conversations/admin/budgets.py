"""Budgets in the admin: what may be spent, and beside it what is. What is used is a record, and nobody's to change."""

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from conversations.models import Budget, BudgetPeriod
from conversations.models.budgets import DOLLAR

from .amounts import AmountField, plain
from .enabled_mark import EnabledMarkAdmin
from .records import RecordAdmin, link_to, link_to_list

SCOPE = ("person", "group", "is_each", "period")


class BudgetForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Budget
        fields = (*SCOPE, "is_enabled", "cost_limit", "token_limit")
        field_classes: ClassVar = {"cost_limit": AmountField}


@admin.register(Budget)
class BudgetAdmin(EnabledMarkAdmin):
    form = BudgetForm
    list_display = ("scope", "period", "dollars", "tokens", "spent", "is_enabled")
    list_display_links = ("scope",)
    list_filter = ("is_enabled", "period", "group")
    list_select_related = ("group", "person")
    search_fields = ("person__username", "group__name")
    raw_id_fields = ("person",)
    readonly_fields = ("spent",)
    fieldsets = (
        (None, {"fields": (*SCOPE, "is_enabled")}),
        ("Limits", {"fields": ("cost_limit", "token_limit")}),
        ("Record", {"fields": ("spent",)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What has been counted was counted for this scope and this period: for another one, make another budget."""
        return (*self.readonly_fields, *(SCOPE if obj else ()))

    @admin.display(description="US dollars", ordering="cost_limit")
    def dollars(self, budget: Budget) -> str:
        return "" if budget.cost_limit is None else plain(budget.cost_limit)

    @admin.display(description="tokens", ordering="token_limit")
    def tokens(self, budget: Budget) -> str:
        return "" if budget.token_limit is None else f"{budget.token_limit:,}"

    @admin.display(description="used so far")
    def spent(self, budget: Budget) -> str:
        return link_to_list(BudgetPeriod, "Show", budget__id__exact=budget.pk) if budget.pk else "Nothing: it counts from now on."


@admin.register(BudgetPeriod)
class BudgetPeriodAdmin(RecordAdmin):
    list_display = ("starts_on", "budget", "holder", "used", "held", "used_tokens", "held_tokens")
    list_filter = ("budget__period",)
    list_select_related = ("budget__group", "budget__person")
    search_fields = ("=budget__pk", "=holder")
    search_help_text = "The number of a budget, or of a person."
    fields = ("starts_on", "its_budget", "holder", "used", "held", "used_tokens", "held_tokens")
    readonly_fields = ("its_budget", "used", "held")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BudgetPeriod]:
        return super().get_queryset(request).select_related("budget__group", "budget__person")

    @admin.display(description="budget")
    def its_budget(self, row: BudgetPeriod) -> str:
        return link_to(Budget, row.budget_id)

    @admin.display(description="used, in US dollars", ordering="used_cost")
    def used(self, row: BudgetPeriod) -> str:
        return plain(Decimal(row.used_cost) / DOLLAR)

    @admin.display(description="held, in US dollars", ordering="held_cost")
    def held(self, row: BudgetPeriod) -> str:
        return plain(Decimal(row.held_cost) / DOLLAR)

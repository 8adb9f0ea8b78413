"""The prices of a model in the admin: a new price is a new row, and a row that has begun is only looked at.

Who may change a model may say what it costs; who may look at it sees what it cost.
"""

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.db.models import DecimalField, QuerySet
from django.http import HttpRequest

from conversations.models import Price
from conversations.models.prices import KINDS, PriceQuerySet

from .amounts import AmountField, amount_column

AMOUNTS = tuple(amount_column(kind, str(Price._meta.get_field(kind).verbose_name)) for kind in KINDS)  # type: ignore[union-attr]


class PriceInline(InlineModelAdmin):  # type: ignore[type-arg]
    model = Price
    extra = 0

    def may_edit(self, request: HttpRequest, parent: Any) -> bool:
        models = self.admin_site.get_model_admin(self.parent_model)
        return models.has_change_permission(request, parent) if parent else models.has_add_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class NewPriceInline(PriceInline, admin.StackedInline):  # type: ignore[type-arg]
    """Prices that have not begun, and room for another one."""

    fields = ("valid_from", KINDS)
    formfield_overrides = {DecimalField: {"form_class": AmountField}}  # noqa: RUF012 - Django types it as an instance attribute
    verbose_name, verbose_name_plural = "new price", "new prices, in US dollars per million tokens"
    extra = 1
    max_num = 5

    def get_queryset(self, request: HttpRequest) -> QuerySet[Price]:
        prices: Any = super().get_queryset(request)
        return cast(PriceQuerySet, prices.to_begin())

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_edit(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_edit(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_edit(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_edit(request, obj)


class BegunPriceInline(PriceInline, admin.TabularInline):  # type: ignore[type-arg]
    """What it costs, and what it cost before: the record of what answers were charged by."""

    fields = readonly_fields = ("valid_from", *AMOUNTS, "source")
    template = "admin/conversations/languagemodel/_begun_prices.html"
    verbose_name, verbose_name_plural = "price", "prices in effect, newest first, in US dollars per million tokens"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.get_model_admin(self.parent_model).has_view_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Price]:
        prices: Any = super().get_queryset(request)
        return cast(PriceQuerySet, prices.begun())

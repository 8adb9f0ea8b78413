"""Prices and costs as people write them: 0.15, not 0.150000. Django pads them to the places of their column."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin


def plain(amount: Decimal) -> str:
    """Return `amount` in full, without zeros behind its last digit."""
    return f"{amount.normalize():f}" if amount else "0"


def amount_column(field: str, label: str = "") -> Any:
    """Return what shows the amount in `field` of a row, if it has one, in a list or on a page; a list can be sorted by it."""

    @admin.display(description=label or field.replace("_", " "), ordering=field)
    def column(row: Any) -> str | None:
        value = getattr(row, field)
        return None if value is None else plain(value)

    column.__name__ = f"plain_{field}"
    return column


class AmountField(forms.DecimalField):
    def prepare_value(self, value: Any) -> Any:
        return plain(value) if isinstance(value, Decimal) and value.is_finite() else value

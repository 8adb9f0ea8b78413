"""The check boxes "enabled" in a list of the admin. A screen reader must be told what each of them is."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest


class EnabledMarkAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """For models whose `is_enabled` is edited in the list: Django labels no field there."""

    list_editable = ("is_enabled",)

    def get_changelist_form(self, request: HttpRequest, **options: Any) -> Any:
        widgets = {"is_enabled": forms.CheckboxInput(attrs={"aria-label": "Enabled"})}
        return super().get_changelist_form(request, **options | {"widgets": widgets})

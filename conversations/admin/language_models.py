"""Language models in the admin: what is offered and what is sent along with each request; what it costs: `prices.py`."""

import json
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms.fields import InvalidJSONInput
from django.http import HttpRequest

from conversations.models import LanguageModel
from conversations.models.catalog import LanguageModelQuerySet
from conversations.tools.registry import tools

from .amounts import amount_column
from .default_mark import DefaultMarkAdmin, DefaultMarkForm
from .enabled_mark import EnabledMarkAdmin
from .prices import BegunPriceInline, NewPriceInline

# The generation sets these itself: a parameter of that name would send other people's words, or break the stream.
RESERVED_PARAMETERS = frozenset({"messages", "model", "stream", "stream_options", "tools", "tool_choice"})
PRICES = (amount_column("input_price", "input, $ per million"), amount_column("output_price", "output, $ per million"))


def tool_choices() -> list[tuple[str, str]]:
    return [(name, f"{name}{' (asks the person first)' if tool.needs_approval else ''}") for name, tool in tools().items()]


class ParametersField(forms.JSONField):
    def bound_data(self, data: Any, initial: Any) -> Any:
        """Show what was typed as it was typed: parsed and written again, a lone surrogate would break the page."""
        return InvalidJSONInput(data or "")


class LanguageModelForm(DefaultMarkForm):
    marks = ("is_default", "writes_titles")
    tools = forms.MultipleChoiceField(
        label="tools it may call",
        required=False,
        choices=tool_choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="Only those of a model that supports tools.",
    )

    class Meta:
        model = LanguageModel
        fields = "__all__"
        field_classes: ClassVar = {"parameters": ParametersField}

    def clean_parameters(self) -> dict[str, Any]:
        """Return an object that any database and any provider can take as JSON."""
        parameters = self.cleaned_data["parameters"]
        if parameters is None:
            return {}
        if not isinstance(parameters, dict):
            raise forms.ValidationError('Give an object, for example {"temperature": 0.7}.')
        if reserved := sorted(RESERVED_PARAMETERS & parameters.keys()):
            raise forms.ValidationError(f"The site sets this itself: {', '.join(reserved)}.")
        if not is_portable_json(parameters):
            raise forms.ValidationError("NaN, Infinity, NUL characters and lone surrogates are not allowed.")
        return parameters


def is_portable_json(value: object) -> bool:
    """Tell whether strict JSON can carry `value`; SQLite and PostgreSQL refuse what Python's own parser lets through."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        text.encode()
    except ValueError:
        return False
    return "\\u0000" not in text


@admin.register(LanguageModel)
class LanguageModelAdmin(EnabledMarkAdmin, DefaultMarkAdmin):
    form = LanguageModelForm
    list_display = (
        *("name", "provider", "model_id", "context_window"),
        *(*PRICES, "is_enabled", "is_default"),
    )
    list_filter = ("is_enabled", "provider", "supports_images", "supports_tools", "supports_reasoning")
    filter_horizontal = ("groups",)
    list_select_related = ("provider",)
    search_fields = ("name", "model_id", "provider__name")
    fieldsets = (
        (None, {"fields": ("provider", "model_id", "name", "is_enabled", "is_default", "writes_titles")}),
        ("In the picker", {"fields": ("description", "position", "groups")}),
        ("Retirement", {"fields": ("retires_at", "successor")}),
        ("Limits", {"fields": ("context_window", "max_output_tokens")}),
        ("Capabilities", {"fields": ("supports_images", "supports_tools", "supports_reasoning")}),
        ("Tools", {"fields": ("tools",)}),
        ("Sent with each request", {"fields": ("parameters",)}),
    )

    def get_inlines(self, request: HttpRequest, obj: Any) -> tuple[Any, ...]:
        return (NewPriceInline, BegunPriceInline) if obj else (NewPriceInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[LanguageModel]:
        models: Any = super().get_queryset(request)
        return cast(LanguageModelQuerySet, models.with_prices())

"""Language models in the admin: what is offered, what it costs, what is sent along with each request."""

import json
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.forms.fields import InvalidJSONInput
from django.http import HttpRequest

from conversations.models import LanguageModel

from .amounts import AmountField, amount_column
from .default_mark import DefaultMarkAdmin, DefaultMarkForm
from .enabled_mark import EnabledMarkAdmin

# The generation sets these itself: a parameter of that name would send other people's words, or break the stream.
RESERVED_PARAMETERS = frozenset({"messages", "model", "stream", "stream_options"})


PRICES: dict[Any, Any] = {
    "input_price": amount_column("input_price", "price of input tokens"),
    "cached_input_price": amount_column("cached_input_price", "price of cached input tokens"),
    "output_price": amount_column("output_price", "price of output tokens"),
}


class ParametersField(forms.JSONField):
    def bound_data(self, data: Any, initial: Any) -> Any:
        """Show what was typed as it was typed: parsed and written again, a lone surrogate would break the page."""
        return InvalidJSONInput(data or "")


class LanguageModelForm(DefaultMarkForm):
    marks = ("is_default", "writes_titles")

    class Meta:
        model = LanguageModel
        fields = "__all__"
        field_classes: ClassVar = {"parameters": ParametersField, **dict.fromkeys(PRICES, AmountField)}

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
        *(PRICES["input_price"], PRICES["output_price"], "is_enabled", "is_default"),
    )
    list_filter = ("is_enabled", "provider", "supports_images", "supports_tools", "supports_reasoning")
    list_select_related = ("provider",)
    search_fields = ("name", "model_id", "provider__name")
    fieldsets = (
        (None, {"fields": ("provider", "model_id", "name", "is_enabled", "is_default", "writes_titles")}),
        ("Limits", {"fields": ("context_window", "max_output_tokens")}),
        ("Prices", {"fields": tuple(PRICES)}),
        ("Capabilities", {"fields": ("supports_images", "supports_tools", "supports_reasoning")}),
        ("Sent with each request", {"fields": ("parameters",)}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may only look sees each price as text; Django would pad it with zeros."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [(title, {**options, "fields": [PRICES.get(name, name) for name in options["fields"]]}) for title, options in fieldsets]

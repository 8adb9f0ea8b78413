"""Providers in the admin. The key goes in and never comes out: not in HTML, not in history, not after a failed validation."""

import copy
import os
import re
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from conversations.models import Provider
from conversations.models.presets import PRESETS, filled

from .connection import check_connections
from .enabled_mark import EnabledMarkAdmin
from .offers import offers_page

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Provider]
else:
    ModelForm = forms.ModelForm

TEST = "_test"  # the name of the button that tests what is in the form
NOT_TESTED = "Not tested, and not saved: correct the fields marked below first."
NOT_SAVED = "Your changes are not saved yet."
KEY_GONE = "The key that you gave was tested, and is not sent back to this page: give it again before you save."
VARIABLE_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
OUR_SECRETS = frozenset({"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ADMIN_PASSWORD", "EMAIL_PASSWORD"})


class ProviderForm(ModelForm):
    new_key = forms.CharField(
        label="API key",
        required=False,
        max_length=2000,
        widget=forms.PasswordInput(attrs={"class": "vTextField", "autocomplete": "new-password"}),
        help_text="Leave empty to keep the one there is. Encrypted at rest and never shown again.",
    )
    remove_key = forms.BooleanField(label="Remove the stored key", required=False)

    class Meta:
        model = Provider
        exclude = ("api_key",)

    def clean_new_key(self) -> str:
        """A key travels in a header: visible ASCII only (RFC 9110, section 5.5)."""
        key: str = self.cleaned_data["new_key"]
        if not re.fullmatch(r"[!-~]*", key):
            raise forms.ValidationError("A key has no spaces, line breaks or characters outside ASCII. Paste it again.")
        return key

    def clean_api_key_variable(self) -> str:
        name: str = self.cleaned_data["api_key_variable"]
        if name and not VARIABLE_NAME.fullmatch(name):
            self._forget("api_key_variable")
            raise forms.ValidationError("Give the name of a variable, for example OPENAI_API_KEY, not the key itself.")
        if name in OUR_SECRETS:
            raise forms.ValidationError("That variable holds a secret of this site; it is never sent to a provider.")
        return name

    def clean_base_url(self) -> str:
        url: str = self.cleaned_data["base_url"]
        if "@" in urlsplit(url).netloc:
            self._forget("base_url")
            raise forms.ValidationError("Give the address without a password: it would be shown here. A key has its own field.")
        return url

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("new_key") and cleaned.get("remove_key"):
            self.add_error("remove_key", "Either give a new key or remove the one there is.")
        if self._would_send_the_key_elsewhere(cleaned):
            self.add_error("new_key", "The stored key belongs to the old address. Give the key again, or remove it.")
        return cleaned

    def is_valid(self) -> bool:
        """What is only to be tested is never saved: the admin shows the form again, with all that was typed but the key."""
        return TEST not in self.data and super().is_valid()

    def save(self, commit: bool = True) -> Provider:
        self._take_key(self.instance)
        return super().save(commit)

    def unsaved(self) -> Provider:
        """The provider as the form describes it, key included, for a test."""
        provider = copy.copy(self.instance)
        self._take_key(provider)
        return provider

    def _take_key(self, provider: Provider) -> None:
        """Give `provider` the key of the form; an empty field means the one there is."""
        if self.cleaned_data["remove_key"]:
            provider.api_key = ""
        elif key := self.cleaned_data["new_key"]:
            provider.api_key = key

    def _would_send_the_key_elsewhere(self, cleaned: dict[str, Any]) -> bool:
        """Nobody may learn a key they cannot see by pointing its provider at a server of their own."""
        is_kept = self.instance.api_key and not cleaned.get("new_key") and not cleaned.get("remove_key")
        return bool(is_kept) and origin(cleaned.get("base_url", "")) != origin(self.instance.base_url)

    def _forget(self, field: str) -> None:
        """Drop what was typed, so that a key in the wrong field is not sent back in the page."""
        self.data = {**self.data.dict(), self.add_prefix(field): ""}  # type: ignore[attr-defined]


def origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def key_source(provider: Provider) -> str:
    """Say where the key in effect comes from, and nothing of the key."""
    name = provider.api_key_variable
    if name and os.environ.get(name):
        return f"environment variable {name}"
    missing = f"environment variable {name} (not set)" if name else "none"
    return "stored" if provider.api_key else missing


@admin.register(Provider)
class ProviderAdmin(EnabledMarkAdmin):
    form = ProviderForm
    list_display = ("name", "protocol", "base_url", "key", "model_count", "is_enabled")
    list_filter = ("is_enabled", "protocol")
    search_fields = ("name", "slug", "base_url")
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012 - Django types it as an instance attribute
    readonly_fields = ("key",)
    actions = ("test_connection",)
    add_form_template = "admin/conversations/provider/add_form.html"
    fieldsets = (
        (None, {"fields": ("name", "slug", "protocol", "base_url", "is_enabled")}),
        ("Key", {"fields": ("key", "new_key", "remove_key", "api_key_variable")}),
        ("Limits", {"fields": ("connect_timeout", "first_token_timeout", "idle_timeout", "reports_usage")}),
    )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Fill the form of a new provider by `?preset=`."""
        return filled(request.GET.get("preset", "")) or super().get_changeform_initial_data(request)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        chosen = request.GET.get("preset", "")
        presets = {"presets": PRESETS.items(), "chosen": chosen, "preset": PRESETS.get(chosen)}
        return super().add_view(request, form_url, presets | (extra_context or {}))

    def get_urls(self) -> list[URLPattern]:
        offers = self.admin_site.admin_view(partial(offers_page, self))
        return [path("<path:object_id>/models/", offers, name="conversations_provider_models"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        providers: QuerySet[Provider] = super().get_queryset(request).annotate(model_count=Count("models"))
        return providers

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may only look has no use for the fields that take a key."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        hidden = ("new_key", "remove_key")
        return [(title, {**options, "fields": [f for f in options["fields"] if f not in hidden]}) for title, options in fieldsets]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """A list is not searched by its keys, not even through a hand-made address."""
        return not lookup.startswith("api_key") and super().lookup_allowed(lookup, value, request)

    @method_decorator(sensitive_post_parameters("new_key", "api_key_variable"))
    def changeform_view(self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None) -> Any:
        response = super().changeform_view(request, object_id, form_url, extra_context)
        if request.method == "POST" and TEST in request.POST and hasattr(response, "context_data"):
            self._test_form(request, response.context_data["adminform"].form)
        return response

    def _test_form(self, request: HttpRequest, form: ProviderForm) -> None:
        """Say in the page that is about to be rendered what a test of the form found.

        The change page's transaction is over: on SQLite it is the only writer, and waiting in it would hold up every answer.
        """
        if form.errors:
            self.message_user(request, NOT_TESTED, messages.ERROR)
            return
        self._report(request, [form.unsaved()])
        if form.has_changed():
            self.message_user(request, NOT_SAVED, messages.WARNING)
        if form.cleaned_data["new_key"]:
            self.message_user(request, KEY_GONE, messages.WARNING, extra_tags="key-gone")  # the script, which kept it, drops this

    @admin.display(description="key in effect")
    def key(self, provider: Provider) -> str:
        return key_source(provider)

    @admin.display(description="models", ordering="model_count")
    def model_count(self, provider: Any) -> int:
        return int(provider.model_count)

    @admin.action(
        description="Test the connection",
        permissions=["change"],
    )
    def test_connection(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        """Test the providers as they are saved; their own pages have a button that tests what is in the form."""
        self._report(request, list(queryset))

    def _report(self, request: HttpRequest, providers: list[Provider]) -> None:
        for finding in check_connections(providers):
            level = messages.SUCCESS if finding.is_good else messages.ERROR
            self.message_user(request, f"{finding.provider}: {finding.sentence}", level)

"""What the pages of the record share: staff look, nobody adds, changes or deletes; lists read no long text."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from conversations.models.keys import LARGEST_KEY


class RecordAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A page that cannot falsify the record. Newest first by key: that order is free, however long the table."""

    ordering = ("-pk",)
    list_per_page = 50
    show_full_result_count = False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the row, or None: a key that is another table's is looked up as it stands, and a database raises for one too large."""
        is_key = not object_id.isdecimal() or int(object_id) <= LARGEST_KEY
        return super().get_object(request, object_id, from_field) if is_key else None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def link_to(model: type[Model], pk: object) -> str:
    """Return a link to the admin page of a row, without reading the row."""
    opts = model._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[pk])
    return format_html('<a href="{}">{} {}</a>', url, opts.verbose_name, pk)


def link_to_list(model: type[Model], label: str, **lookups: str | int) -> str:
    """Return a link to the admin list of `model`, filtered by `lookups`."""
    opts = model._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    return format_html('<a href="{}?{}">{}</a>', url, urlencode(lookups), label)

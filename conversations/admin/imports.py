"""Imports in the admin: how far each file was read, and why not further. Of what was in it no word is shown."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from conversations.models import Import

from .records import RecordAdmin


@admin.register(Import)
class ImportAdmin(RecordAdmin):
    list_display = ("file_name", "owner", "state", "added", "refused", "created_at", "finished_at")
    list_filter = ("status", "created_at")
    list_select_related = ("owner",)
    search_fields = ("file_name", "=pk", "=owner__username")
    search_help_text = "Words of a file's name, the number of an import, or a user name."
    fieldsets = (
        (None, {"fields": ("file_name", "owner", "state", "error")}),
        ("Conversations", {"fields": ("added", "known", "refused", "not_read", "shortened", "cut")}),
        ("Run", {"fields": ("size", "position", "worker", "heard_at", "created_at", "finished_at")}),
    )
    readonly_fields = ("state", "not_read", "cut")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Import]:
        imports: QuerySet[Import] = super().get_queryset(request)
        return imports.defer("problems", "cuts")

    @admin.display(ordering="status", description="status")
    def state(self, row: Import) -> str:
        return "Interrupted" if row.is_lost else row.get_status_display()

    @admin.display(description="what could not be read")
    def not_read(self, row: Import) -> str | None:
        return places(row.problems)

    @admin.display(description="what was shortened")
    def cut(self, row: Import) -> str | None:
        return places(row.cuts)


def places(told: list[dict[str, Any]]) -> str | None:
    """Return where in the file something was wrong, and what; not the titles, which are a person's words."""
    rows = ((entry["number"], entry["file"], entry["line"], entry["reason"]) for entry in told)
    items = format_html_join("", "<li>Conversation {} of {}, line {}: {}</li>", rows)
    return format_html("<ul>{}</ul>", items) if items else None

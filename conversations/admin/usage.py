"""The ledger in the admin: to read only, for everybody. What an attempt cost is never altered and never removed."""

from django.contrib import admin

from conversations.models import Usage

from .records import RecordAdmin


@admin.register(Usage)
class UsageAdmin(RecordAdmin):
    list_display = (
        "created_at",
        "model_name",
        "input_tokens",
        "cached_tokens",
        "output_tokens",
        "is_estimated",
        "cost",
        "generation_id",
        "attempt",
    )
    list_filter = ("is_estimated", "model", "created_at")
    search_fields = ("=generation__pk", "=provider_request_id")
    search_help_text = "The number of a generation, or the provider's request id."

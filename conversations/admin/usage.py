"""The ledger in the admin: to read only, for everybody. What an attempt cost is never altered and never removed."""

from django.contrib import admin
from django.urls import URLPattern, path

from conversations.models import Usage
from conversations.models.prices import KINDS

from .amounts import amount_column
from .dashboard import dashboard
from .records import RecordAdmin

PRICES = tuple(amount_column(name) for name in KINDS)
TOKENS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "is_estimated")
MODEL = ("model", "model_name", "provider_request_id")
COST = amount_column("cost", "cost in US dollars")


@admin.register(Usage)
class UsageAdmin(RecordAdmin):
    list_display = (
        "created_at",
        "purpose",
        "model_name",
        "input_tokens",
        "cached_tokens",
        "output_tokens",
        "is_estimated",
        COST,
        "generation_id",
        "attempt",
    )
    list_filter = ("purpose", "is_estimated", "model", "created_at")
    search_fields = ("=generation__pk", "=provider_request_id")
    search_help_text = "The number of a generation, or the provider's request id."
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "created_at",
                    "purpose",
                    "person",
                    "token",
                    "generation",
                    "conversation",
                    "attempt",
                    "model",
                    "model_name",
                    "provider_request_id",
                )
            },
        ),
        ("Tokens", {"fields": TOKENS}),
        ("US dollars per million tokens", {"fields": ("is_priced", *PRICES)}),
        ("US dollars", {"fields": (COST,)}),
    )
    readonly_fields = (*PRICES, COST)

    def get_urls(self) -> list[URLPattern]:
        return [path("dashboard/", self.admin_site.admin_view(dashboard), name="usage_dashboard"), *super().get_urls()]

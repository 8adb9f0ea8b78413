"""API tokens in the admin: whose they are, what they may do, when they were used. Staff revoke them, and nobody sees a secret."""

from django.contrib import admin, messages
from django.contrib.admin.options import ActionLocation
from django.db.models import QuerySet
from django.http import HttpRequest

from conversations.models import ApiToken

from .records import RecordAdmin


@admin.register(ApiToken)
class ApiTokenAdmin(RecordAdmin):
    list_display = ("prefix", "name", "owner", "scope_names", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_filter = ("created_at", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("owner",)
    search_fields = ("=owner__username", "name", "=prefix")
    search_help_text = "A user name, the name of a token, or its first eleven characters."
    actions = ("revoke",)
    fields = ("prefix", "name", "owner", "scope_names", "created_at", "last_used_at", "expires_at", "revoked_at")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("conversations.change_apitoken")

    @admin.display(description="scopes")
    def scope_names(self, token: ApiToken) -> str:
        return token.scope_names

    @admin.action(description="Revoke", permissions=["revoke"], location=[ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        living = list(queryset.filter(revoked_at=None))
        for token in living:
            token.revoke()
            self.log_change(request, token, "Revoked.")
        level = messages.SUCCESS if living else messages.WARNING
        self.message_user(request, f"Revoked: {len(living)}. What is open with a revoked token ends within seconds.", level)

"""Shared links in the admin: who shared what, and until when. Staff can revoke one; the link itself is its owner's and is not shown."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import ActionLocation
from django.db.models import QuerySet
from django.http import HttpRequest

from conversations.models import Conversation, Message, Share

from .records import RecordAdmin, link_to


class OpenFilter(admin.SimpleListFilter):
    title = "whether it can be read"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Can be read"), ("0", "Revoked, expired or gone")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "1":
                return queryset.filter(pk__in=Share.objects.open().values("pk"))
            case "0":
                return queryset.exclude(pk__in=Share.objects.open().values("pk"))
            case _:
                return queryset


@admin.register(Share)
class ShareAdmin(RecordAdmin):
    list_display = ("title", "owner", "created_at", "expires_at", "revoked_at")
    list_filter = (OpenFilter, "created_at")
    list_select_related = ("conversation__owner",)
    search_fields = ("title", "=conversation__pk", "=conversation__owner__username")
    search_help_text = "Words of a title, the number of a conversation, or a user name."
    fields = ("title", "owner", "of_conversation", "last_message", "created_at", "expires_at", "revoked_at")
    readonly_fields = ("owner", "of_conversation", "last_message")
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Share]:
        shares: QuerySet[Share] = super().get_queryset(request).select_related(*self.list_select_related)
        return shares.defer("token", "conversation__system_prompt")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("conversations.change_share")

    @admin.display(ordering="conversation__owner")
    def owner(self, share: Share) -> str:
        return str(share.conversation.owner)

    @admin.display(description="conversation")
    def of_conversation(self, share: Share) -> str:
        return link_to(Conversation, share.conversation_id)

    @admin.display
    def last_message(self, share: Share) -> str:
        return link_to(Message, share.head_id)

    @admin.action(description="Revoke", permissions=["revoke"], location=[ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Share]) -> None:
        revoked = [share for share in queryset if share.revoke()]
        for share in revoked:
            self.log_change(request, share, "Revoked.")
        level = messages.SUCCESS if revoked else messages.WARNING
        self.message_user(request, f"Revoked: {len(revoked)}. A link that had been revoked already is left as it is.", level)

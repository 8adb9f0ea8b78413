"""Conversations in the admin: to look at, to move to the trash and back. Nothing here deletes one for good."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import ActionLocation
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from conversations.generation.changes import Kind, tell_of
from conversations.generation.supervisor import supervisor
from conversations.models import Conversation, Message
from conversations.models.conversations import ConversationQuerySet

from . import transcript
from .records import RecordAdmin, link_to_list

EVERYWHERE = [ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM]


@admin.register(Conversation)
class ConversationAdmin(RecordAdmin):
    list_display = ("title", "owner", "model", "created_at", "updated_at", "deleted_at")
    list_filter = (("deleted_at", admin.EmptyFieldListFilter), "model", "updated_at")
    list_select_related = ("owner", "model")
    search_fields = ("title", "owner__username", "=pk")
    fields = (
        *("title", ("owner", "model"), ("all_messages", "head")),
        *(("created_at", "updated_at", "deleted_at"), "system_prompt"),
    )
    readonly_fields = ("all_messages",)
    actions = ("move_to_trash", "restore")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        return super().get_queryset(request).defer("system_prompt")

    def has_trash_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("conversations.change_conversation")

    def render_change_form(
        self, request: HttpRequest, context: Any, add: bool = False, change: bool = False, form_url: str = "", obj: Any = None
    ) -> HttpResponse:
        """Add the transcript, for who may read messages."""
        if obj and self.admin_site.get_model_admin(Message).has_view_permission(request):
            page = transcript.page_of(obj, request.GET.get("page"), request.GET.get("message"))
            context |= {"transcript": page, "entries": transcript.entries(page, obj)}
        return super().render_change_form(request, context, add, change, form_url, obj)

    @admin.display(description="messages")
    def all_messages(self, conversation: Conversation) -> str:
        return link_to_list(Message, "List of its messages", conversation__id__exact=conversation.pk)

    @admin.action(description="Move to the trash", permissions=["trash"], location=EVERYWHERE)
    def move_to_trash(self, request: HttpRequest, queryset: ConversationQuerySet) -> None:
        active = list(queryset.kept())  # a temporary one is in no trash: it would be gone at once
        for conversation in active:
            for generation_id in conversation.soft_delete():
                transaction.on_commit(partial(supervisor.notify, generation_id))
            transaction.on_commit(partial(tell_of, conversation, Kind.DELETED))
            self.log_change(request, conversation, "Moved to the trash.")
        self.message_user(request, f"Moved to the trash: {len(active)}.", messages.SUCCESS)

    @admin.action(description="Restore from the trash", permissions=["trash"], location=EVERYWHERE)
    def restore(self, request: HttpRequest, queryset: ConversationQuerySet) -> None:
        trashed = list(queryset.trashed())
        for conversation in trashed:
            conversation.restore()
            transaction.on_commit(partial(tell_of, conversation, Kind.RESTORED))
            self.log_change(request, conversation, "Restored from the trash.")
        self.message_user(request, f"Restored: {len(trashed)}.", messages.SUCCESS)

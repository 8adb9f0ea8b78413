"""Messages in the admin, to read only. A list never reads their texts: one may be megabytes long."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from conversations.models import Generation, Message

from .records import RecordAdmin, link_to


@admin.register(Message)
class MessageAdmin(RecordAdmin):
    list_display = ("__str__", "conversation", "owner", "status", "created_at")
    list_filter = ("role", "created_at")
    list_select_related = ("conversation__owner", "generation")
    search_fields = ("=pk", "=conversation__pk", "=conversation__owner__username")
    search_help_text = "The number of a message or of a conversation, or a user name."
    fields = ("conversation", "parent", "role", "answer", "created_at", "text", "reasoning")
    readonly_fields = ("answer",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        long_texts = ("text", "reasoning", "conversation__system_prompt", "generation__error_sentence", "generation__error_detail")
        return super().get_queryset(request).select_related(*self.list_select_related).defer(*long_texts)

    @admin.display(ordering="conversation__owner")
    def owner(self, message: Message) -> str:
        return str(message.conversation.owner)

    @admin.display(description="answer's status", ordering="generation__status")
    def status(self, message: Message) -> str | None:
        return message.generation.get_status_display() if hasattr(message, "generation") else None

    @admin.display(description="generation")
    def answer(self, message: Message) -> str | None:
        return link_to(Generation, message.generation.pk) if hasattr(message, "generation") else None

"""Feedback in the admin: what people thought of answers, to read only."""

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Substr
from django.http import HttpRequest

from conversations.models import Feedback, Message

from . import transcript
from .records import RecordAdmin, link_to

BEGINNING = 300  # characters of a comment in the list


@admin.register(Feedback)
class FeedbackAdmin(RecordAdmin):
    list_display = ("rating", "beginning", "written_by", "owner", "in_transcript", "updated_at")
    list_filter = ("rating", "message__generation__model", "updated_at")
    list_select_related = ("message__conversation__owner", "message__generation")
    ordering = ("-updated_at",)
    search_fields = ("comment", "=message__pk", "=message__conversation__owner__username")
    search_help_text = "Words of a comment, the number of a message, or a user name."
    fields = ("rating", "comment", "written_by", "owner", "in_transcript", "of_message", "updated_at")
    readonly_fields = ("written_by", "owner", "in_transcript", "of_message")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Feedback]:
        related: QuerySet[Feedback] = super().get_queryset(request).select_related(*self.list_select_related)
        long_texts = ("comment", "message__text", "message__reasoning", "message__conversation__system_prompt")
        errors = ("message__generation__error_sentence", "message__generation__error_detail")
        listed: QuerySet[Feedback] = related.defer(*long_texts, *errors).annotate(comment_beginning=Substr("comment", 1, BEGINNING + 1))
        return listed

    @admin.display(description="comment")
    def beginning(self, feedback: Feedback) -> str:
        found: str = feedback.comment_beginning  # type: ignore[attr-defined]
        return found if len(found) <= BEGINNING else f"{found[:BEGINNING]}…"

    @admin.display(description="model", ordering="message__generation__model_name")
    def written_by(self, feedback: Feedback) -> str:
        return feedback.message.written_by

    @admin.display(ordering="message__conversation__owner")
    def owner(self, feedback: Feedback) -> str:
        return str(feedback.message.conversation.owner)

    @admin.display(description="transcript")
    def in_transcript(self, feedback: Feedback) -> str:
        return transcript.link_to(feedback.message)

    @admin.display(description="message")
    def of_message(self, feedback: Feedback) -> str:
        return link_to(Message, feedback.message_id)

"""Generations in the admin: who wrote an answer, how it went and what it cost; a live one can be stopped, none altered."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import ActionLocation
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Substr
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from conversations.generation.changes import Kind, tell_of
from conversations.generation.history import endpoint_of
from conversations.generation.supervisor import supervisor
from conversations.models import Conversation, Generation, JournalEntry, Message, Usage
from conversations.providers.errors import ProviderError

from .records import RecordAdmin, link_to, link_to_list
from .words import in_words

SHOWN_ENTRIES, SHOWN_CHARACTERS = 30, 200


def error_codes(root: type[ProviderError] = ProviderError) -> Iterator[str]:
    yield root.code
    for error in root.__subclasses__():
        yield from error_codes(error)


class ErrorFilter(admin.SimpleListFilter):
    """The codes come from the error tree: asking the table for them would read all of it."""

    title = "error"
    parameter_name = "error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("any", "Any error"), *((code, in_words(code)) for code in error_codes())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Generation]) -> QuerySet[Generation]:
        match self.value():
            case None:
                return queryset
            case "any":
                return queryset.exclude(error_code="")
            case code:
                return queryset.filter(error_code=code)


@admin.register(Generation)
class GenerationAdmin(RecordAdmin):
    list_display = ("id", "status", "model_name", "person", "attempt", "owner", "error", "queued_at", "finished_at")
    list_filter = ("status", ErrorFilter, "model", "queued_at")
    list_select_related = ("message__conversation__owner",)
    search_fields = ("=pk", "=message__conversation__pk", "=message__conversation__owner__username", "owner")
    search_help_text = "The number of a generation or of a conversation, a user name, or the name of a process."
    actions = ("stop",)
    fieldsets = (
        (None, {"fields": ("status", "answer", "conversation", "model", "model_name", "finish_reason", "trimmed_turns", "usage")}),
        ("Error", {"fields": ("error", "error_sentence", "provider_said")}),
        ("Run", {"fields": ("owner", "attempt", "takeovers", "lease_until", "heartbeat_at", "stop_requested_at", "allowance")}),
        ("Times", {"fields": ("queued_at", "started_at", "first_token_at", "finished_at")}),
    )
    readonly_fields = ("answer", "conversation", "usage", "error", "provider_said", "journal_tail")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Generation]:
        long_texts = ("error_sentence", "error_detail", "message__text", "message__reasoning", "message__conversation__system_prompt")
        return super().get_queryset(request).select_related(*self.list_select_related).defer(*long_texts)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The journal is the answer itself while it is written: it has a permission of its own."""
        fieldsets = super().get_fieldsets(request, obj)
        if request.user.has_perm("conversations.view_journalentry"):
            return [*fieldsets, ("Journal", {"fields": ("journal_tail",)})]
        return fieldsets

    def has_stop_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("conversations.change_generation")

    @admin.display(ordering="message__conversation__owner")
    def person(self, generation: Generation) -> str:
        return str(generation.message.conversation.owner)

    @admin.display(description="message")
    def answer(self, generation: Generation) -> str:
        return link_to(Message, generation.message_id)

    @admin.display
    def conversation(self, generation: Generation) -> str:
        return link_to(Conversation, generation.message.conversation_id)

    @admin.display
    def usage(self, generation: Generation) -> str:
        return link_to_list(Usage, "Usage of each attempt", generation__id__exact=generation.pk)

    @admin.display(ordering="error_code")
    def error(self, generation: Generation) -> str | None:
        return in_words(generation.error_code) if generation.error_code else None

    @admin.display(description="what the provider said")
    def provider_said(self, generation: Generation) -> str | None:
        said = generation.error_detail
        return (endpoint_of(generation.model.provider).without_key(said) if generation.model else said) or None

    @admin.display(description="newest entries")
    def journal_tail(self, generation: Generation) -> str:
        return render_journal(generation)

    @admin.action(description="Stop", permissions=["stop"], location=[ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM])
    def stop(self, request: HttpRequest, queryset: QuerySet[Generation]) -> None:
        stopped = [generation for generation in queryset.live() if generation.request_stop()]  # type: ignore[attr-defined]
        for generation in stopped:
            self.log_change(request, generation, "Asked to stop.")
            transaction.on_commit(partial(supervisor.notify, generation.pk))
            if not generation.is_live:
                transaction.on_commit(partial(tell_of, generation.message.conversation, Kind.ENDED, generation.message_id))
        level = messages.SUCCESS if stopped else messages.WARNING
        self.message_user(request, f"Asked to stop: {len(stopped)}. One that has ended, or is stopping, is left as it is.", level)


def render_journal(generation: Generation) -> str:
    """Return the newest entries as a list, each cut short in the database, or a sentence where none are left."""
    newest = JournalEntry.objects.filter(generation=generation).order_by("-position")[:SHOWN_ENTRIES]
    rows = newest.annotate(beginning=Substr("data", 1, SHOWN_CHARACTERS)).values_list("position", "kind", "beginning")
    items = format_html_join("", "<li>{} {}: <code>{}</code></li>", ((position, in_words(kind), text) for position, kind, text in rows))
    return format_html("<ul>{}</ul>", items) if items else "None: the answer has not begun, or it is whole and kept in its message."

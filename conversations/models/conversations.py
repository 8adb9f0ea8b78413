"""A person's conversations. Soft delete is asked for by name; the default manager hides nothing."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from .catalog import LanguageModel
from .prepared import Prepared

TITLE_MAX_CHARACTERS = 200


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def active(self) -> "ConversationQuerySet":
        return self.filter(deleted_at=None)

    def trashed(self) -> "ConversationQuerySet":
        return self.exclude(deleted_at=None)

    def with_running(self) -> "ConversationQuerySet":
        """Each with `is_running`: whether its last answer is being written."""
        from .generations import LIVE  # which imports this module

        return self.annotate(is_running=models.Q(head__generation__status__in=LIVE))


class Conversation(models.Model):
    """A tree of messages, of which one path - the one that ends at `head` - is shown."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversations")
    title = models.CharField(max_length=TITLE_MAX_CHARACTERS)
    model = models.ForeignKey(LanguageModel, null=True, on_delete=models.SET_NULL, related_name="+", help_text="Answers the next prompt.")
    system_prompt = models.TextField(blank=True, help_text="The text in effect since the conversation began.")
    head = models.ForeignKey("Message", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-updated_at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["owner", "deleted_at", "-updated_at"], name="conversations_of_owner")]

    def __str__(self) -> str:
        return self.title

    def rename(self, title: str) -> None:
        self.title = title
        self.save(update_fields=["title"])

    def soft_delete(self) -> list[int]:
        """Move it to the trash and ask what is being answered in it to stop; return the keys of those generations."""
        from .generations import Generation  # which imports this module

        Conversation.objects.active().filter(pk=self.pk).update(deleted_at=timezone.now())
        live = Generation.objects.live().filter(message__conversation=self)
        return [generation.pk for generation in live if generation.request_stop()]

    def restore(self) -> None:
        Conversation.objects.trashed().filter(pk=self.pk).update(deleted_at=None)


@Prepared
def own_conversation(pk: int, owner: int) -> ConversationQuerySet:
    """A conversation of `owner`'s that is not deleted."""
    return Conversation.objects.active().filter(pk=pk, owner=owner)


@Prepared
def locked_conversation(pk: int) -> ConversationQuerySet:
    """The row, held until the transaction ends; not one that is deleted."""
    return Conversation.objects.active().select_for_update().filter(pk=pk)


def title_from(prompt: str) -> str:
    """Return the first line of the prompt, cut at a word, as a title until a better one is given."""
    line = " ".join(next(iter(prompt.strip().splitlines()), "").split())
    if len(line) <= 60:
        return line or "New conversation"
    return line[:60].rsplit(" ", 1)[0].rstrip(".,;:") + "…"

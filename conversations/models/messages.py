"""Messages: one row each, linked to the message before it. The system prompt is never one of them."""

import uuid
from typing import ClassVar

from django.contrib.auth.models import User
from django.db import models
from django.db.models.expressions import RawSQL

from .conversations import Conversation
from .prepared import Prepared

# The path from a message up to its root. A recursive query reads it at once, whatever its depth, without the other branches.
PATH_SQL = """
WITH RECURSIVE path(id, parent_id) AS (
    SELECT id, parent_id FROM conversations_message WHERE id = %s
    UNION ALL
    SELECT m.id, m.parent_id FROM conversations_message m JOIN path ON m.id = path.parent_id
)
SELECT id FROM path
"""


class Role(models.TextChoices):
    USER = "user"
    ASSISTANT = "assistant"


# What the place of an answer in a page shows; a model has many more columns, and each costs on every look-up.
GENERATION_SHOWN = (
    "message",
    "model",
    "model_name",
    "status",
    "queued_at",
    "first_token_at",
    "finished_at",
    "finish_reason",
    "error_code",
    "error_sentence",
    "trimmed_turns",
)
SHOWN = (
    *("conversation", "parent", "role", "text", "reasoning", "created_at"),
    *(f"generation__{name}" for name in GENERATION_SHOWN),
    *("generation__model__provider", "generation__model__provider__protocol"),
    "generation__model__provider__base_url",
)


class MessageQuerySet(models.QuerySet["Message"]):
    def path_to(self, head_id: int | None) -> "MessageQuerySet":
        """The messages from the root down to `head_id`, oldest first; one query."""
        if head_id is None:
            return self.none()
        return self.filter(pk__in=RawSQL(PATH_SQL, [head_id])).order_by("pk")  # noqa: S611 - the only parameter is bound

    def shown(self) -> "MessageQuerySet":
        """Answers with all that their place in a page needs."""
        return self.select_related("generation__model__provider").only(*SHOWN).prefetch_related("generation__usages")

    def answers_for(self, user: User | int) -> "MessageQuerySet":
        """The answers in the own conversations of `user`, or of the one with that key, that are not deleted."""
        return self.filter(role=Role.ASSISTANT, generation__isnull=False, conversation__owner=user, conversation__deleted_at=None)


class Message(models.Model):
    """A prompt or an answer. An answer's text is "" until its generation ends: until then its journal is the answer."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="children")
    role = models.CharField(max_length=10, choices=Role)
    text = models.TextField(blank=True, help_text="Markdown.")
    reasoning = models.TextField(blank=True)
    request_key = models.UUIDField(
        default=uuid.uuid4, unique=True, editable=False, help_text="Made by the composer: a prompt sent twice is one prompt."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.role} message {self.pk}"


@Prepared
def answer_to_follow(pk: int, owner: int) -> MessageQuerySet:
    """An answer of `owner`'s, with no more than its status: what the start of a stream asks."""
    return Message.objects.answers_for(owner).filter(pk=pk).select_related("generation").only("generation__status")


@Prepared
def answer_to_show(pk: int) -> MessageQuerySet:
    return Message.objects.shown().filter(pk=pk)


@Prepared
def texts_to(head: int) -> "models.QuerySet[Message, tuple[str, str]]":
    """The role and text of each message from the root down to `head`, oldest first."""
    return Message.objects.path_to(head).values_list("role", "text")

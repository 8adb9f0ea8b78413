"""Messages: one row each, linked to the message before it. The system prompt is never one of them."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.db import models
from django.db.models.expressions import RawSQL
from django.utils import timezone

from conversations.events import Event, Place
from conversations.tool_events import FAILED, Kept, ToolResult, open_calls, resulted, unfolded

from .conversations import Conversation
from .prepared import Prepared

# The path from a message up towards its root. A recursive query reads it at once, whatever its depth, without the other branches;
# it stops after so many messages, and before one that is not newer than another: a message is always newer than its parent.
PATH_SQL = """
WITH RECURSIVE path(id, parent_id, length) AS (
    SELECT id, parent_id, 1 FROM conversations_message WHERE id = %s
    UNION ALL
    SELECT m.id, m.parent_id, path.length + 1 FROM conversations_message m JOIN path ON m.id = path.parent_id
    WHERE path.length < %s AND m.id > %s
)
SELECT id FROM path
"""
WHOLE = 2**31 - 1  # messages: longer than any path
# A message and all that followed it, on every branch.
SUBTREE_SQL = """
WITH RECURSIVE subtree(id) AS (
    SELECT id FROM conversations_message WHERE id = %s
    UNION ALL
    SELECT m.id FROM conversations_message m JOIN subtree ON m.parent_id = subtree.id
)
SELECT id FROM subtree
"""


NEVER_ENDED = "It was cut off before it had a result."


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
    *("conversation", "parent", "role", "text", "reasoning", "tool_events", "model_name", "created_at", "edited_at"),
    *(f"generation__{name}" for name in GENERATION_SHOWN),
    *("generation__model__provider", "generation__model__provider__protocol", "feedback__rating"),
)


class MessageQuerySet(models.QuerySet["Message"]):
    def path_to(self, head_id: int | None, *, limit: int = WHOLE, after: int = 0) -> "MessageQuerySet":
        """The messages from the root down to `head_id`, oldest first; one query.

        At most the last `limit` of them, and none that is not newer than `after`: what is older is not read either.
        """
        if head_id is None:
            return self.none()
        path = self.filter(pk__in=RawSQL(PATH_SQL, [head_id, limit, after]))  # noqa: S611 - the parameters are bound
        return (path.filter(pk__gt=after) if after else path).order_by("pk")

    def subtree_of(self, root_id: int) -> "MessageQuerySet":
        """The message and all that followed it, on every branch."""
        return self.filter(pk__in=RawSQL(SUBTREE_SQL, [root_id]))  # noqa: S611 - the only parameter is bound

    def active(self) -> "MessageQuerySet":
        return self.filter(deleted_at=None)

    def trashed(self) -> "MessageQuerySet":
        return self.filter(deleted_at__isnull=False)

    def shown(self) -> "MessageQuerySet":
        """Answers with all that their place in a page needs."""
        return self.select_related("generation__model__provider", "feedback").only(*SHOWN).prefetch_related("generation__usages")

    def rendered(self) -> "MessageQuerySet":
        """The same, each with its rendering, if one is kept."""
        return self.shown().select_related("rendering").only(*SHOWN, "rendering")

    def of(self, user: User | int) -> "MessageQuerySet":
        """Those in the active conversations of a person, or of the one with that key, deleted messages among them."""
        return self.filter(conversation__owner=user, conversation__deleted_at=None)

    def visible_to(self, user: User | int) -> "MessageQuerySet":
        """Those that a person may read and go on from. Whatever a person asks for is looked up by this."""
        return self.of(user).active()

    def answers_for(self, user: User | int) -> "MessageQuerySet":
        """The answers among them that a generation wrote, or is writing."""
        return self.visible_to(user).filter(role=Role.ASSISTANT, generation__isnull=False)


class Message(models.Model):
    """A prompt or an answer. An answer's text is "" until its generation ends: until then its journal is the answer."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="children")
    role = models.CharField(max_length=10, choices=Role)
    text = models.TextField(blank=True, help_text="Markdown.")
    reasoning = models.TextField(blank=True)
    tool_events = models.JSONField(
        null=True, blank=True, editable=False, help_text="What tools were called and said, and where in the text."
    )
    request_key = models.UUIDField(
        default=uuid.uuid4, unique=True, editable=False, help_text="Made by the composer: a prompt sent twice is one prompt."
    )
    continues = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The cut-off answer that this one begins with.",
    )
    model_name = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="Who wrote it, where no generation says so: it was imported."
    )
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True, blank=True, help_text="An answer that a person wrote anew, beside the model's.")
    deleted_at = models.DateTimeField(null=True, blank=True, help_text="With all that followed it.")

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pk"]
        indexes: ClassVar = [
            models.Index(fields=["deleted_at"], condition=models.Q(deleted_at__isnull=False), name="messages_to_purge"),
        ]

    def __str__(self) -> str:
        return f"{self.role} message {self.pk}"

    @property
    def is_live(self) -> bool:
        """Whether it is an answer that is being written."""
        generation = getattr(self, "generation", None)
        return generation is not None and generation.is_live

    @property
    def written_by(self) -> str:
        """The name of the model of an answer; "" where nobody knows it."""
        generation = getattr(self, "generation", None)
        return generation.model_name if generation else self.model_name

    @property
    def can_be_continued(self) -> bool:
        """Whether it is an answer with text that ended before the model had said all."""
        generation = getattr(self, "generation", None)
        return generation is not None and generation.was_cut_off and bool(self.text.strip())

    def opening(self) -> list[Event]:
        """Return what an answer that continues this one begins with. Its own thoughts stand apart from those here."""
        reasoning = f"{self.reasoning.rstrip()}\n\n" if self.reasoning.strip() else ""
        events = unfolded(Kept(self.text, reasoning, self.tool_events))
        return events + [resulted(ToolResult(call.call, FAILED, NEVER_ENDED, 0)) for call in open_calls(events)]

    @property
    def extent(self) -> Place:
        """How much of an answer there is, in characters and events of tools."""
        return Place(len(self.reasoning), len(self.text), len(self.tool_events or ()))

    def events(self) -> list[Event]:
        """Return what happened in an answer that has ended, as it was told."""
        return unfolded(Kept(self.text, self.reasoning, self.tool_events))


class Rendering(models.Model):
    """The HTML of a finished message, as `rendering.cache` wrote it. Any row may be lost: it is made again."""

    message = models.OneToOneField(Message, primary_key=True, on_delete=models.CASCADE, related_name="rendering")
    version = models.PositiveIntegerField(help_text="Of the renderer.")
    text_html = models.TextField(blank=True)
    reasoning_html = models.TextField(blank=True)
    steps_html = models.TextField(blank=True, default="", db_default="", help_text="What follows the first call of a tool.")

    def __str__(self) -> str:
        return f"rendering of message {self.message_id}"


@Prepared
def answer_to_follow(pk: int, owner: int) -> MessageQuerySet:
    """An answer of `owner`'s, with no more than its status: what the start of a stream asks."""
    return Message.objects.answers_for(owner).filter(pk=pk).select_related("generation").only("generation__status")


@Prepared
def answer_to_show(pk: int) -> MessageQuerySet:
    return Message.objects.shown().filter(pk=pk)


@Prepared
def texts_to(head: int) -> "models.QuerySet[Message, tuple[str, str, list[dict[str, Any]] | None]]":
    """The role, text and events of tools of each message from the root down to `head`, oldest first."""
    return Message.objects.path_to(head).values_list("role", "text", "tool_events")

"""Generations: one run that writes one answer, and who owns it.

Each change of status is one guarded update that says whether it won (law 5); nobody else writes `status`.
"""

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils import timezone

from conversations.events import JournalEvent
from conversations.tool_events import folded

from .budgets import release_for
from .catalog import LanguageModel
from .journal import JournalEntry, journal_of
from .messages import Message
from .prepared import Prepared

if TYPE_CHECKING:
    from .usage import Usage


class Status(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETE = "complete"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


LIVE = (Status.QUEUED, Status.RUNNING)
CUT_OFF = (Status.STOPPED, Status.FAILED, Status.INTERRUPTED)
# Finish reasons. OpenAI; Anthropic and Gemini; Mistral; OpenAI Responses; Anthropic
OUTPUT_LIMIT = {"length", "max_tokens", "model_length", "max_output_tokens", "model_context_window_exceeded"}
REFUSALS = {"content_filter", "refusal"}
STOPPED = "You stopped this answer."

# Columns nobody needs in order to run a generation; a look-up costs by the column.
NOT_TO_RUN = (
    *("finish_reason", "error_code", "error_sentence", "error_detail", "heartbeat_at", "lease_until", "started_at", "finished_at"),
    *(
        f"message__{name}"
        for name in ("text", "reasoning", "tool_events", "request_key", "created_at", "edited_at", "deleted_at", "role", "model_name")
    ),
    *(f"message__conversation__{name}" for name in ("title", "model", "head", "rival", "created_at", "updated_at", "deleted_at")),
    *(f"message__conversation__{name}" for name in ("has_own_title", "is_temporary", "folder", "pinned_at", "archived_at", "source_key")),
    "message__conversation__title_asked_at",
    *(f"model__{name}" for name in ("supports_images", "is_enabled", "is_default", "writes_titles")),
    *(f"model__{name}" for name in ("description", "position", "retires_at", "successor")),
    *(f"model__provider__{name}" for name in ("name", "slug", "is_enabled")),
)


def lease_end() -> Combinable:
    """When a lease that begins now runs out: by the clock of the database, because those of the processes may differ."""
    return Now() + timedelta(seconds=settings.LEASE_SECONDS)


class GenerationQuerySet(models.QuerySet["Generation"]):
    def live(self) -> "GenerationQuerySet":
        return self.filter(status__in=LIVE)

    def claimable(self) -> "GenerationQuerySet":
        """Queued ones, and running ones whose owner has been silent for longer than its lease.

        So has one whose lease is longer than any: the clock was set back since it was given, and who lives has renewed it.
        """
        silent = Q(lease_until__lt=Now()) | Q(lease_until__gt=Now() + timedelta(seconds=2 * settings.LEASE_SECONDS))
        return self.filter(Q(status=Status.QUEUED) | Q(silent, status=Status.RUNNING))

    def to_run(self) -> "GenerationQuerySet":
        """Each with what its owner needs: where it stands, the model and its provider, the system prompt."""
        related = self.select_related("message__conversation", "model__provider")
        return related.defer(*NOT_TO_RUN)

    def owned_by(self, owner: str) -> "GenerationQuerySet":
        return self.filter(owner=owner, status=Status.RUNNING)


class Generation(models.Model):
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="generation")
    model = models.ForeignKey(LanguageModel, null=True, on_delete=models.SET_NULL, related_name="generations")
    model_name = models.CharField(max_length=200)
    status = models.CharField(max_length=12, choices=Status, default=Status.QUEUED)
    owner = models.CharField(max_length=100, blank=True, help_text="The process that runs it.")
    lease_until = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveIntegerField(default=0, help_text="How often a provider was to be asked for it.")
    takeovers = models.PositiveIntegerField(default=0, help_text="How often its owner was lost.")
    stop_requested_at = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    first_token_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    finish_reason = models.CharField(max_length=40, blank=True, help_text="As the provider named it.")
    error_code = models.CharField(max_length=40, blank=True)
    error_sentence = models.TextField(blank=True, help_text="What the person was told.")
    error_detail = models.TextField(blank=True, help_text="What the provider said.")
    trimmed_turns = models.PositiveIntegerField(default=0, help_text="Turns left out because the context window is full.")
    is_budgeted = models.BooleanField(
        "budgeted", default=False, db_default=False, help_text="Something of a budget is held for it until it ends."
    )
    allowance = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Tokens of output that its budgets have left for it. Empty: enough for the longest answer."
    )

    objects = GenerationQuerySet.as_manager()
    is_taken_over = False  # set by `claim`: the former owner was lost, and has settled nothing

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(fields=["status", "lease_until"], condition=Q(status__in=LIVE), name="generations_live"),
            models.Index(fields=["queued_at"], name="generations_by_day"),
        ]

    def __str__(self) -> str:
        return f"generation {self.pk} ({self.status})"

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    def claim(self, owner: str) -> bool:
        """Take the lease, if it is free, and begin the next attempt; True if this call won."""
        now, is_takeover = timezone.now(), self.status == Status.RUNNING
        free = Generation.objects.claimable().filter(pk=self.pk, status=self.status, attempt=self.attempt)
        won = free.update(
            status=Status.RUNNING,
            owner=owner,
            attempt=self.attempt + 1,
            takeovers=self.takeovers + is_takeover,
            started_at=now,
            heartbeat_at=now,
            lease_until=lease_end(),
        )
        if won:
            self.status, self.owner, self.attempt = Status.RUNNING, owner, self.attempt + 1
            self.takeovers, self.is_taken_over = self.takeovers + is_takeover, is_takeover
        return bool(won)

    def holds_lease(self) -> bool:
        """Say, for the rest of the transaction, whether the owner of this attempt is still its owner."""
        return bool(self._mine().update(heartbeat_at=timezone.now()))

    def _mine(self) -> GenerationQuerySet:
        return Generation.objects.filter(pk=self.pk, status=Status.RUNNING, owner=self.owner, attempt=self.attempt)

    def begin_next_attempt(self) -> bool:
        """Count another attempt, as the owner of this one; True if this call won."""
        won = bool(self._mine().update(attempt=self.attempt + 1))
        self.attempt += won
        return won

    def give_back(self) -> bool:
        """Queue it again, as the owner of this attempt; True if this call won."""
        return bool(self._mine().update(status=Status.QUEUED, owner="", lease_until=None))

    def request_stop(self) -> bool:
        """Ask the owner to stop; a generation that nobody runs yet is stopped here. True if there was something to stop."""
        now = timezone.now()
        queued = Generation.objects.filter(pk=self.pk, status=Status.QUEUED)
        with transaction.atomic():
            if queued.update(status=Status.STOPPED, error_sentence=STOPPED, stop_requested_at=now, finished_at=now):
                self.fold()
                release_for(self.pk)
                self.status = Status.STOPPED
                return True
        running = Generation.objects.filter(pk=self.pk, status=Status.RUNNING, stop_requested_at=None)
        return bool(running.update(stop_requested_at=now))

    def finish(self, status: Status, **fields: object) -> bool:
        """Set the final status, as the owner of this attempt; True if this call won."""
        return bool(self._mine().update(status=status, finished_at=timezone.now(), lease_until=None, **fields))

    def fold(self) -> list[JournalEvent]:
        """Move the answer from the journal into its message: one truth at a time (law 2). Return what the journal held."""
        events = [JournalEvent(*row) for row in journal_of(self.pk, 0)]
        Message.objects.filter(pk=self.message_id).update(**folded(events)._asdict())
        JournalEntry.objects.filter(generation=self).delete()
        return events

    @property
    def reached_output_limit(self) -> bool:
        return self.finish_reason.lower() in OUTPUT_LIMIT

    @property
    def was_refused(self) -> bool:
        """Whether the model refused in words, or the provider's filter ended the answer."""
        return self.finish_reason.lower() in REFUSALS

    @property
    def was_cut_off(self) -> bool:
        """Whether it ended before the model had said all."""
        return self.status in CUT_OFF or self.reached_output_limit

    @cached_property
    def attempts(self) -> "list[Usage]":
        """What each attempt used."""
        return list(self.usages.all())

    @property
    def seconds_to_first_token(self) -> float | None:
        if self.first_token_at is None:
            return None
        return max(0.0, (self.first_token_at - self.queued_at).total_seconds())  # two processes, two clocks

    @property
    def seconds_of_output(self) -> float | None:
        """From the first token to the end."""
        if self.first_token_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.first_token_at).total_seconds()


@Prepared
def generation_to_run(pk: int) -> GenerationQuerySet:
    return Generation.objects.to_run().filter(pk=pk)


@Prepared
def live_in(conversation: int) -> "models.QuerySet[Generation, int]":
    """The keys of generations that are writing an answer in a conversation."""
    return Generation.objects.live().filter(message__conversation=conversation).values_list("pk", flat=True)

"""Imports: a file that a person has uploaded, and how far its conversations have been taken in."""

from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

FILE_NAME_MAX_CHARACTERS = 200
MOST_TOLD = 100  # problems, or cuts, that are told of one file; the rest is counted
SILENCE = timedelta(seconds=30)  # after which whoever worked at it counts as lost


class ImportStatus(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    STOPPED = "stopped"


UNFINISHED = (ImportStatus.WAITING, ImportStatus.RUNNING)
COUNTS = ("position", "added", "known", "refused", "shortened")  # of an import that is being worked at


class Import(models.Model):
    """One uploaded file. Its status changes here alone, each time by one guarded update that says whether it won."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="imports")
    file_name = models.CharField(max_length=FILE_NAME_MAX_CHARACTERS, help_text="As the person's device named it.")
    status = models.CharField(max_length=10, choices=ImportStatus, default=ImportStatus.WAITING)
    worker = models.CharField(max_length=40, blank=True, help_text="Who works at it.")
    heard_at = models.DateTimeField(default=timezone.now, help_text="When its worker last said so.")
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes to read, unpacked.")
    position = models.PositiveBigIntegerField(default=0, help_text="Bytes read.")
    added = models.PositiveIntegerField(default=0, help_text="Conversations that are new.")
    known = models.PositiveIntegerField(default=0, help_text="Conversations that were here already.")
    refused = models.PositiveIntegerField(default=0, help_text="Conversations that could not be read.")
    problems = models.JSONField(default=list, help_text="What was wrong with those, and where they stand in the file.")
    shortened = models.PositiveIntegerField(default=0, help_text="Conversations of which a part was too long to be kept whole.")
    cuts = models.JSONField(default=list, help_text="What was cut of those, and where they stand in the file.")
    error = models.TextField(blank=True, help_text="Why the file as a whole could not be read on.")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"import of {self.file_name}"

    @property
    def is_unfinished(self) -> bool:
        return self.status in UNFINISHED

    @property
    def is_lost(self) -> bool:
        """Whether nobody works at it any more, although it is not done."""
        return self.is_unfinished and self.heard_at < timezone.now() - SILENCE

    def claim(self, worker: str) -> bool:
        """Begin to work at it, from its beginning; True if this call won. Who had it before is told at its next word."""
        as_read = Import.objects.filter(pk=self.pk, status=self.status, worker=self.worker)
        unread: dict[str, Any] = {**dict.fromkeys(COUNTS, 0), "problems": [], "cuts": [], "error": ""}
        won = bool(
            as_read.filter(status__in=UNFINISHED).update(
                status=ImportStatus.RUNNING, worker=worker, heard_at=timezone.now(), finished_at=None, **unread
            )
        )
        if won:
            self.refresh_from_db()
        return won

    def tell(self, **counts: Any) -> bool:
        """Keep how far it is, as its worker; False if it was stopped or is somebody else's now."""
        return bool(self._mine().update(heard_at=timezone.now(), **counts))

    def finish(self, status: ImportStatus, error: str = "", **counts: Any) -> bool:
        """Set the final status, as its worker; False if it was stopped or is somebody else's now."""
        now = timezone.now()
        return bool(self._mine().update(status=status, error=error, heard_at=now, finished_at=now, **counts))

    def _mine(self) -> "models.QuerySet[Import]":
        return Import.objects.filter(pk=self.pk, status=ImportStatus.RUNNING, worker=self.worker)

    def wait(self) -> bool:
        """Have it worked at once more: it was lost, stopped, or has failed. True if this call won."""
        now = timezone.now()
        over = models.Q(status__in=(ImportStatus.STOPPED, ImportStatus.FAILED)) | models.Q(
            status__in=UNFINISHED, heard_at__lt=now - SILENCE
        )
        won = bool(Import.objects.filter(over, pk=self.pk).update(status=ImportStatus.WAITING, heard_at=now, finished_at=None))
        self.status = ImportStatus.WAITING if won else self.status
        return won

    def stop(self) -> bool:
        """Leave it as it is; what has been taken in stays."""
        unfinished = Import.objects.filter(pk=self.pk, status__in=UNFINISHED)
        return bool(unfinished.update(status=ImportStatus.STOPPED, finished_at=timezone.now()))

"""Imports: a file that a person has uploaded, and how far its conversations have been taken in."""

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

FILE_NAME_MAX_CHARACTERS = 200
MOST_PROBLEMS = 100  # that are told of one file; the rest is counted
SILENCE = timedelta(seconds=30)  # after which whoever worked at it counts as lost


class ImportStatus(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    STOPPED = "stopped"


UNFINISHED = (ImportStatus.WAITING, ImportStatus.RUNNING)


class Import(models.Model):
    """One uploaded file. Each change while it runs is a guarded update by the worker that holds it."""

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
        unfinished = Import.objects.filter(pk=self.pk, status__in=UNFINISHED)
        begun = {"status": ImportStatus.RUNNING, "worker": worker, "heard_at": timezone.now(), "error": "", "problems": []}
        won = bool(unfinished.update(**begun, **dict.fromkeys(("position", "added", "known", "refused"), 0)))
        if won:
            self.refresh_from_db()
        return won

    def tell(self, **fields: object) -> bool:
        """Keep how far it is, as its worker; False if it was stopped or is somebody else's now."""
        mine = Import.objects.filter(pk=self.pk, status=ImportStatus.RUNNING, worker=self.worker)
        return bool(mine.update(heard_at=timezone.now(), **fields))

    def wait(self) -> bool:
        """Have it worked at once more: it was lost, stopped, or has failed. True if this call won."""
        now = timezone.now()
        over = models.Q(status__in=(ImportStatus.STOPPED, ImportStatus.FAILED)) | models.Q(
            status__in=UNFINISHED, heard_at__lt=now - SILENCE
        )
        return bool(Import.objects.filter(over, pk=self.pk).update(status=ImportStatus.WAITING, heard_at=now, finished_at=None))

    def stop(self) -> bool:
        """Leave it as it is; what has been taken in stays."""
        unfinished = Import.objects.filter(pk=self.pk, status__in=UNFINISHED)
        return bool(unfinished.update(status=ImportStatus.STOPPED, finished_at=timezone.now()))

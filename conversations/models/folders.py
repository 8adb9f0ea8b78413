"""Folders: where a person files conversations, each in one or in none (docs/decisions/0017)."""

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, models, transaction
from django.utils import timezone

FOLDER_MAX_CHARACTERS = 100


class NameTaken(Exception):
    """The person has another folder of that name."""


class FolderQuerySet(models.QuerySet["Folder"]):
    def active(self) -> "FolderQuerySet":
        return self.filter(deleted_at=None)

    def trashed(self) -> "FolderQuerySet":
        return self.filter(deleted_at__isnull=False)

    def named(self, owner: User, name: str) -> "Folder":
        """The folder of that name; made if there is none."""
        folder, _ = self.get_or_create(owner=owner, name=name, deleted_at=None)
        return folder


class Folder(models.Model):
    """Its conversations stay when it is deleted, and are in it again when it is restored."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="folders")
    name = models.CharField(max_length=FOLDER_MAX_CHARACTERS)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = FolderQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "name"], condition=models.Q(deleted_at=None), name="one_folder_of_a_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def rename(self, name: str) -> None:
        """Raises NameTaken."""
        self._change(name=name)

    def soft_delete(self) -> None:
        self._change(deleted_at=timezone.now())

    def restore(self) -> None:
        """Raises NameTaken where another one has got its name since."""
        self._change(deleted_at=None)

    def _change(self, **fields: object) -> None:
        try:
            with transaction.atomic():
                Folder.objects.filter(pk=self.pk).update(**fields)
        except IntegrityError:
            raise NameTaken from None

"""System prompts that staff keep, in versions."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from .prepared import Prepared


class SystemPromptQuerySet(models.QuerySet["SystemPrompt"]):
    def default_text(self) -> str:
        """The newest text of the default system prompt; "" where none is marked."""
        return default_texts.first() or ""


class SystemPrompt(models.Model):
    """A system prompt that staff keep. Its texts are versions: a new text never alters an old one."""

    name = models.CharField(max_length=100, unique=True)
    is_default = models.BooleanField("default", default=False, help_text="New conversations get it.")

    objects = SystemPromptQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_system_prompt"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def text(self) -> str:
        newest = self.versions.first()
        return newest.text if newest else ""

    def add_version(self, text: str) -> "SystemPromptVersion":
        """Keep `text` as the newest version; the same text twice in a row is one version."""
        newest = self.versions.first()
        if newest and newest.text == text:
            return newest
        return self.versions.create(number=newest.number + 1 if newest else 1, text=text)


class SystemPromptVersion(models.Model):
    prompt = models.ForeignKey(SystemPrompt, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["prompt", "number"], name="one_number_per_version")]

    def __str__(self) -> str:
        return f"{self.prompt} v{self.number}"


@Prepared
def default_texts() -> "models.QuerySet[SystemPromptVersion, str]":
    """The newest text of the default system prompt, if there is one."""
    return SystemPromptVersion.objects.filter(prompt__is_default=True).order_by("-number").values_list("text", flat=True)[:1]

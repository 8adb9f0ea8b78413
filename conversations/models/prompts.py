"""What a person keeps to write with: saved prompts under a `/` command, and instructions for every conversation."""

import re
from collections.abc import Mapping
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.db.models.functions import Left

COMMAND_MAX_CHARACTERS = 40
BEGINNING = 120  # characters of a prompt that a list shows
NAME_MAX_CHARACTERS = 60
VARIABLE = re.compile(r"\{\{([^{}\n]{1,100})\}\}")


class SavedPromptQuerySet(models.QuerySet["SavedPrompt"]):
    def offered_to(self, person: User) -> "SavedPromptQuerySet":
        """A person's own and those for everybody, by command; of the same command the person's own comes first."""
        return self.filter(Q(owner=person) | Q(owner=None)).order_by("command", models.F("owner").asc(nulls_last=True))

    def listed(self) -> "SavedPromptQuerySet":
        """Each with the beginning of its text alone, and `has_variables`: a text may be long."""
        beginnings = self.defer("text").annotate(beginning=Left("text", BEGINNING))
        return beginnings.annotate(has_variables=models.Q(text__contains="{{"))


class SavedPrompt(models.Model):
    """A text under a `/` command, with {{variables}}; without an owner it is staff's, and for everybody."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="saved_prompts")
    command = models.SlugField(max_length=COMMAND_MAX_CHARACTERS, help_text="Typed behind a slash: /translate")
    text = models.TextField(help_text="{{name}} stands for what the person fills in.")
    updated_at = models.DateTimeField(auto_now=True)

    objects = SavedPromptQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["command"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "command"], name="one_saved_prompt_of_a_command"),
            models.UniqueConstraint(fields=["command"], condition=Q(owner=None), name="one_prompt_for_everybody_of_a_command"),
        ]

    def __str__(self) -> str:
        return f"/{self.command}"

    @property
    def variables(self) -> list[str]:
        """The names of what is to be filled in, each once, in order."""
        return variables_in(self.text)

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the text with a value in the place of each variable; one without a value stays as it is, to be seen."""
        return VARIABLE.sub(lambda found: values.get(name_in(found[1])) or found[0], self.text)


def variables_in(text: str) -> list[str]:
    return list(dict.fromkeys(filter(None, map(name_in, VARIABLE.findall(text)))))


def name_in(braces: str) -> str:
    """The name that stands between braces; "" for what is none."""
    name = braces.strip()
    return name if len(name) <= NAME_MAX_CHARACTERS else ""


class Preferences(models.Model):
    """What a person has set; without a row, nothing."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="preferences")
    instructions = models.TextField(blank=True, help_text="Added to the system prompt of each new conversation.")

    class Meta:
        verbose_name_plural = "preferences"

    def __str__(self) -> str:
        return f"preferences of {self.person_id}"

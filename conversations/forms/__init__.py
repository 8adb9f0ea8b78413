"""What people send in. Each error is a sentence they can act on."""

import re
import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from conversations.models import LanguageModel
from conversations.models.catalog import available_model
from conversations.models.conversations import TITLE_MAX_CHARACTERS
from conversations.models.folders import FOLDER_MAX_CHARACTERS

NOT_AVAILABLE = "That model is not available any more. Pick another one and send again."
NO_PROMPT = "Write a message first."
NO_NAME = "Give the conversation a name."
NO_FOLDER_NAME = "Give the folder a name."

# What no font draws: controls, Default_Ignorable_Code_Point (Unicode 17, DerivedCoreProperties.txt), and the braille blank.
INVISIBLE = (
    "\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # it would turn the sentence around a name as well
VISIBLE = re.compile(rf"[^\s{INVISIBLE}]")


def whole_text(text: str) -> None:
    """Refuse what UTF-8 and a database cannot hold. Only a program can send it."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValidationError("The message contains characters that are not text (NUL or broken Unicode). Remove them and send again.")


class Form(forms.Form):
    @property
    def sentence(self) -> str:
        """The first error, for the person."""
        return next((str(error) for errors in self.errors.values() for error in errors), "")


class TurnForm(Form):
    """A prompt for a model."""

    prompt = forms.CharField(
        strip=False,
        validators=[whole_text],
        error_messages={"required": NO_PROMPT},
    )
    model = forms.IntegerField(error_messages={"required": "Pick a model first.", "invalid": NOT_AVAILABLE})
    request_key = forms.UUIDField(required=False)

    def __init__(self, data: Any, *, person: int, fallback: Callable[[], LanguageModel | None]) -> None:
        """`fallback` gives the model of a program that names none, if the person may pick it; a browser always names one."""
        super().__init__(data)
        self.person, self.fallback = person, fallback
        self.fields["model"].required = "model" in data
        self.fields["prompt"].validators = [whole_text]  # in place of Django's sentence about null characters

    def clean_model(self) -> LanguageModel:
        key: int | None = self.cleaned_data["model"]
        model = self.fallback() if key is None else available_model.first(key, self.person)
        if model is None:
            raise ValidationError(NOT_AVAILABLE)
        return model

    def clean_prompt(self) -> str:
        prompt: str = self.cleaned_data["prompt"].replace("\r\n", "\n").strip("\n")
        if not VISIBLE.search(prompt):
            raise ValidationError(NO_PROMPT)
        if len(prompt) > settings.PROMPT_MAX_CHARACTERS:
            limit, length = f"{settings.PROMPT_MAX_CHARACTERS:,}", f"{len(prompt):,}"
            raise ValidationError(f"This message is too long: {length} characters, and {limit} are possible. Shorten it and send again.")
        return prompt

    def clean_request_key(self) -> uuid.UUID:
        return self.cleaned_data["request_key"] or uuid.uuid4()


class TitleForm(Form):
    title = forms.CharField(
        max_length=TITLE_MAX_CHARACTERS,
        validators=[whole_text],
        error_messages={
            "required": NO_NAME,
            "max_length": f"A name has at most {TITLE_MAX_CHARACTERS} characters.",
        },
    )

    def clean_title(self) -> str:
        title = REORDERING.sub("", self.cleaned_data["title"])
        if not VISIBLE.search(title):
            raise ValidationError(NO_NAME)
        return title


class FolderForm(Form):
    """The name of a folder."""

    name = forms.CharField(
        max_length=FOLDER_MAX_CHARACTERS,
        validators=[whole_text],
        error_messages={
            "required": NO_FOLDER_NAME,
            "max_length": f"The name of a folder has at most {FOLDER_MAX_CHARACTERS} characters.",
        },
    )

    def clean_name(self) -> str:
        name = REORDERING.sub("", self.cleaned_data["name"])
        if not VISIBLE.search(name):
            raise ValidationError(NO_FOLDER_NAME)
        return name

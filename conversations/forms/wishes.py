"""What a person sets: for one conversation, and for all that will begin. Each error is a sentence they can act on."""

from collections.abc import Mapping
from typing import Any, Self

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator

from conversations.models import Folder, SystemPrompt
from conversations.models.conversations import SYSTEM_PROMPT_MAX_CHARACTERS
from conversations.models.keys import LARGEST_KEY, key_in
from conversations.models.turns import Wishes

from . import Form, whole_text

INSTRUCTIONS_MAX_CHARACTERS = 10_000
MOST_TOKENS = 1_000_000
EFFORTS = ("minimal", "low", "medium", "high")
DEFAULT, OWN = "default", "own"  # in place of the number of a system prompt
PARAMETERS = ("temperature", "top_p", "max_tokens", "reasoning_effort")


class LongText(forms.CharField):
    """A text of several lines, as it was written."""

    def __init__(self, name: str, most: int, **options: Any) -> None:
        super().__init__(**options)
        self.validators = [whole_text, MaxLengthValidator(most, f"{name} may have at most {most:,} characters. Shorten it and save again.")]

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value) or "").replace("\r\n", "\n").replace("\r", "\n")


class Number(forms.FloatField):
    """A number, also as people write it who have a decimal comma."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value.replace(",", ".") if isinstance(value, str) else value)
        except OverflowError:  # JSON has whole numbers of any size
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None


def number(kind: type[forms.IntegerField], name: str, least: int, most: int) -> forms.IntegerField:
    """Return a field that may be empty and refuses in words what is no number from `least` to `most`."""
    sentence = f"{name} is a {'whole ' if kind is forms.IntegerField else ''}number from {least} to {most:,}. Empty is the model's own."
    errors = dict.fromkeys(("invalid", "min_value", "max_value"), sentence)
    return kind(required=False, min_value=least, max_value=most, error_messages=errors)


class SettingsForm(Form):
    """The system prompt and the parameters of a conversation. What is left empty is the model's own."""

    library = forms.CharField(required=False)
    system_prompt = LongText("The system prompt", SYSTEM_PROMPT_MAX_CHARACTERS, required=False)
    temperature = number(Number, "Temperature", 0, 2)
    top_p = number(Number, "Top p", 0, 1)
    max_tokens = number(forms.IntegerField, "The longest answer", 1, MOST_TOKENS)
    reasoning_effort = forms.ChoiceField(
        required=False,
        choices=[("", ""), *((effort, effort) for effort in EFFORTS)],
        error_messages={"invalid_choice": f"Reasoning effort is one of {', '.join(EFFORTS)}. Empty is the model's own."},
    )

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self | None:
        """Return the form for what was sent; None where nothing was set: most new chats leave the panel shut."""
        return cls(data) if any(data.get(name) not in (None, "", DEFAULT) for name in cls.base_fields) else None

    def clean(self) -> dict[str, Any]:
        """Take the text of a system prompt of the library in place of one's own; None stands for the site's default."""
        fields = self.cleaned_data
        choice = fields.get("library") or (OWN if fields.get("system_prompt") else DEFAULT)
        if choice == DEFAULT:
            fields["system_prompt"] = None
        elif choice != OWN:
            fields["system_prompt"] = text_of(choice)
        return fields

    @property
    def wishes(self) -> Wishes:
        return {"system_prompt": self.cleaned_data["system_prompt"], "parameters": self.parameters}

    @property
    def parameters(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in PARAMETERS if self.cleaned_data[name] not in (None, "")}


def text_of(choice: str) -> str:
    """The newest text of a system prompt of the library."""
    found = SystemPrompt.objects.filter(pk=key_in(choice)).first()
    if found is None:
        raise ValidationError("That system prompt is not there any more. Pick another one.")
    return found.text


class InstructionsForm(forms.Form):
    instructions = LongText("Your instructions", INSTRUCTIONS_MAX_CHARACTERS, required=False)


class PlaceForm(forms.Form):
    """Where a new conversation is kept: nowhere for long, or in a folder. What makes no sense is as good as absent."""

    temporary = forms.BooleanField(required=False)
    folder = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_KEY)

    def __init__(self, data: Any, *, owner: User) -> None:
        super().__init__(data)
        self.owner = owner

    def place(self) -> Wishes:
        self.is_valid()
        is_temporary, key = self.cleaned_data.get("temporary", False), self.cleaned_data.get("folder")
        folder = Folder.objects.active().filter(owner=self.owner, pk=key).first() if key and not is_temporary else None
        return {"is_temporary": is_temporary, "folder": folder}

"""Saved prompts: a command, a text, and what stands in the place of its variables."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from conversations.models import SavedPrompt
from conversations.models.prompts import COMMAND_MAX_CHARACTERS, variables_in

from . import VISIBLE
from .wishes import LongText

TEXT_MAX_CHARACTERS = 20_000
MOST_VARIABLES = 20
VALUE_MAX_CHARACTERS = 20_000
NO_COMMAND = f"A command is made of letters from a to z, digits, - and _, at most {COMMAND_MAX_CHARACTERS}: for example translate."


class CommandField(forms.SlugField):
    """A command, also as it is typed: with its slash, and in capitals."""

    def to_python(self, value: Any) -> str:
        return str(value or "").strip().removeprefix("/").lower()


class SavedPromptForm(forms.Form):
    """`taken` are the commands of the person's other prompts."""

    command = CommandField(
        max_length=COMMAND_MAX_CHARACTERS, error_messages=dict.fromkeys(("required", "invalid", "max_length"), NO_COMMAND)
    )
    text = LongText("A prompt", TEXT_MAX_CHARACTERS, error_messages={"required": "Write the prompt that the command stands for."})

    def __init__(self, *args: Any, taken: set[str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.taken = taken or set()

    def clean_command(self) -> str:
        command: str = self.cleaned_data["command"]
        if command in self.taken:
            raise ValidationError(f"You have a prompt under /{command} already. Choose another command, or change that one.")
        return command

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        if not VISIBLE.search(text):
            raise ValidationError("Write the prompt that the command stands for.")
        if len(variables_in(text)) > MOST_VARIABLES:
            raise ValidationError(f"A prompt may have at most {MOST_VARIABLES} variables.")
        return text


class VariablesForm(forms.Form):
    """A field for each variable of a prompt. Their names are a person's words, so the fields are numbered."""

    def __init__(self, prompt: SavedPrompt, data: Any = None) -> None:
        super().__init__(data)
        self.prompt = prompt
        for number, variable in enumerate(prompt.variables):
            self.fields[f"variable-{number}"] = LongText(variable, VALUE_MAX_CHARACTERS, label=variable, required=False)

    @property
    def text(self) -> str:
        """The prompt, filled in."""
        values = {str(field.label): self.cleaned_data[name] for name, field in self.fields.items()}
        return self.prompt.filled(values)

"""What a person says to an answer: what it is worth, and how it should read. Each error is a sentence they can act on."""

import uuid

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from conversations.models.feedback import COMMENT_MAX_CHARACTERS

from . import VISIBLE, Form
from .wishes import LongText

NO_RATING = "Say whether the answer was good (1) or not (-1), or take that back (0)."


class FeedbackForm(Form):
    rating = forms.TypedChoiceField(
        choices=[("1", "good"), ("-1", "bad"), ("0", "nothing")],
        coerce=int,
        error_messages={"required": NO_RATING, "invalid_choice": NO_RATING},
    )
    comment = LongText("A comment", COMMENT_MAX_CHARACTERS, required=False)

    @property
    def comment_told(self) -> str | None:
        """The comment; None where none was sent, as by a button."""
        return self.cleaned_data["comment"].strip() if "comment" in self.data else None


class RewriteForm(Form):
    text = LongText("An answer", settings.PROMPT_MAX_CHARACTERS, strip=False, error_messages={"required": "Write what it should say."})
    request_key = forms.UUIDField(required=False)

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"].strip("\n")
        if not VISIBLE.search(text):
            raise ValidationError("Write what it should say.")
        return text

    def clean_request_key(self) -> uuid.UUID:
        return self.cleaned_data["request_key"] or uuid.uuid4()

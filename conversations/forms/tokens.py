"""API tokens: what one is for, what it may do, and for how long."""

from datetime import timedelta

from django import forms
from django.core.exceptions import ValidationError

from conversations.models.tokens import NAME_MAX_CHARACTERS, Scope

from . import REORDERING, VISIBLE, Form, whole_text

NO_PURPOSE = "Say what the token is for, to know it again."
NO_SCOPE = "Choose at least one thing that the token may do."
NO_LIFETIME = "Choose how long the token lasts."


class TokenForm(Form):
    LIFETIMES = (("30", "30 days"), ("90", "90 days"), ("365", "1 year"), ("never", "until I revoke it"))
    name = forms.CharField(
        max_length=NAME_MAX_CHARACTERS,
        validators=[whole_text],
        error_messages={"required": NO_PURPOSE, "max_length": f"A name has at most {NAME_MAX_CHARACTERS} characters."},
    )
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        initial=[Scope.CHAT],
        error_messages=dict.fromkeys(("required", "invalid_choice", "invalid_list"), NO_SCOPE),
    )
    lifetime = forms.ChoiceField(choices=LIFETIMES, initial="90", error_messages=dict.fromkeys(("required", "invalid_choice"), NO_LIFETIME))

    def clean_name(self) -> str:
        name = REORDERING.sub("", self.cleaned_data["name"])
        if not VISIBLE.search(name):
            raise ValidationError(NO_PURPOSE)
        return name

    def clean_lifetime(self) -> timedelta | None:
        chosen: str = self.cleaned_data["lifetime"]
        return None if chosen == "never" else timedelta(days=int(chosen))

"""What goes out of the site and comes in."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from . import Form


class ImportForm(Form):
    """An uploaded file; what is in it is looked at later."""

    file = forms.FileField(
        max_length=1000,
        error_messages={"required": "Choose a file first.", "empty": "This file is empty.", "missing": "Choose a file first."},
    )

    def clean_file(self) -> "UploadedFile[Any]":
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if (file.size or 0) > settings.IMPORT_MAX_MB * 2**20:
            raise ValidationError(f"This file is too large: {settings.IMPORT_MAX_MB} MB are possible.")
        return file


class ShareForm(forms.Form):
    """How long a link leads to what is shared."""

    LIFETIMES = (("1", "1 day"), ("7", "7 days"), ("30", "30 days"), ("never", "until I revoke it"))
    lifetime = forms.ChoiceField(
        choices=LIFETIMES,
        initial="30",
        label="The link lasts",
        error_messages={"required": "Choose how long the link lasts.", "invalid_choice": "Choose how long the link lasts."},
    )

    def clean_lifetime(self) -> timedelta | None:
        chosen: str = self.cleaned_data["lifetime"]
        return None if chosen == "never" else timedelta(days=int(chosen))

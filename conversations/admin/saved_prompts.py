"""Saved prompts for everybody. Those of people are theirs, and not shown here."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from conversations.forms.prompts import CommandField, SavedPromptForm
from conversations.models import SavedPrompt


class SharedPromptForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = SavedPrompt
        fields = ("command", "text")
        field_classes: ClassVar = {"command": CommandField}

    def clean(self) -> dict[str, Any]:
        """Ask of staff what is asked of everybody, and no command twice."""
        others = SavedPrompt.objects.filter(owner=None).exclude(pk=self.instance.pk)
        form = SavedPromptForm(self.cleaned_data, taken=set(others.values_list("command", flat=True)))
        for field, errors in form.errors.as_data().items():
            if field not in self.errors:
                self.add_error(field, errors)
        return form.cleaned_data


@admin.register(SavedPrompt)
class SavedPromptAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = SharedPromptForm
    list_display = ("__str__", "beginning", "updated_at")
    search_fields = ("command",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SavedPrompt]:
        return super().get_queryset(request).filter(owner=None)

    @admin.display(description="text")
    def beginning(self, prompt: SavedPrompt) -> str:
        return prompt.text[:120]

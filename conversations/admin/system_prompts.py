"""System prompts in the admin: editing the text adds a version, and old versions are there to read."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Max, QuerySet
from django.http import HttpRequest

from conversations.models import SystemPrompt, SystemPromptVersion

from .default_mark import DefaultMarkAdmin, DefaultMarkForm


class SystemPromptForm(DefaultMarkForm):
    text = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 16, "class": "vLargeTextField"}),
        help_text="A change is kept as a new version. Conversations that have begun keep the text they began with.",
    )

    class Meta:
        model = SystemPrompt
        fields = ("name", "is_default")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["text"] = self.instance.text

    def clean_text(self) -> str:
        """Browsers send line ends as CR LF: without this each save would look like a new text."""
        text: str = self.cleaned_data["text"]
        return text.replace("\r\n", "\n")


class VersionInline(admin.StackedInline):  # type: ignore[type-arg]
    """The versions there are, newest first, to read only."""

    model = SystemPromptVersion
    fields = readonly_fields = ("created_at", "text")
    extra = 0
    can_delete = False
    verbose_name, verbose_name_plural = "version", "versions"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may read the prompt may read what it said before."""
        return self.admin_site.get_model_admin(SystemPrompt).has_view_permission(request)


@admin.register(SystemPrompt)
class SystemPromptAdmin(DefaultMarkAdmin):
    form = SystemPromptForm
    fields = ("name", "text", "is_default")
    list_display = ("name", "is_default", "version_count", "text_changed_at")
    search_fields = ("name",)
    inlines = (VersionInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SystemPrompt]:
        prompts: QuerySet[SystemPrompt] = super().get_queryset(request)
        return prompts.annotate(version_count=Count("versions"), text_changed_at=Max("versions__created_at"))

    def save_model(self, request: HttpRequest, obj: SystemPrompt, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        obj.add_version(form.cleaned_data["text"])

    @admin.display(description="versions", ordering="version_count")
    def version_count(self, prompt: Any) -> int:
        return int(prompt.version_count)

    @admin.display(description="text changed", ordering="text_changed_at")
    def text_changed_at(self, prompt: Any) -> Any:
        return prompt.text_changed_at

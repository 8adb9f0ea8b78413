"""Marks that one row of a catalog has, such as the default: marking another row moves it, and staff never meet the constraint behind it."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import ActionLocation
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from conversations.models import LanguageModel, SystemPrompt

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Any]
else:
    ModelForm = forms.ModelForm


def move_default(chosen: LanguageModel | SystemPrompt) -> None:
    move_mark(chosen, "is_default")


@transaction.atomic
def move_mark(chosen: LanguageModel | SystemPrompt, mark: str) -> None:
    """Take the mark from whoever has it and give it to `chosen`.

    All rows are locked first, in one order: two people who mark different rows at once queue instead of colliding.
    """
    rows: QuerySet[Any] = type(chosen)._default_manager.order_by("pk")
    list(rows.select_for_update().values_list("pk", flat=True))
    rows.filter(**{mark: True}).exclude(pk=chosen.pk).update(**{mark: False})
    rows.filter(pk=chosen.pk).update(**{mark: True})
    setattr(chosen, mark, True)


class DefaultMarkForm(ModelForm):
    marks: ClassVar[tuple[str, ...]] = ("is_default",)

    def validate_constraints(self) -> None:
        """Check the row as if it were unmarked: a mark is moved on saving, so a second one is no error."""
        marked = {mark: getattr(self.instance, mark) for mark in self.marks}
        self.instance.__dict__.update(dict.fromkeys(self.marks, False))
        super().validate_constraints()
        self.instance.__dict__.update(marked)


class DefaultMarkAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """An admin of rows of which one is the default."""

    form: type[DefaultMarkForm] = DefaultMarkForm
    actions = ("make_default",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        newly_marked = [mark for mark in self.form.marks if getattr(obj, mark) and mark in form.changed_data]
        for mark in newly_marked:
            setattr(obj, mark, False)
        super().save_model(request, obj, form, change)
        for mark in newly_marked:
            move_mark(obj, mark)

    @admin.action(
        description="Make it the default",
        description_plural="Make the selected one the default",
        permissions=["change"],
        location=[ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM],
    )
    def make_default(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        chosen = list(queryset[:2])
        if refusal := why_not(chosen):
            self.message_user(request, refusal, messages.ERROR)
            return
        move_default(chosen[0])
        self.log_change(request, chosen[0], "Made the default.")
        self.message_user(request, f"{chosen[0]} is the default now.", messages.SUCCESS)


def why_not(chosen: list[Any]) -> str:
    """Return the sentence that refuses to mark these rows; "" where the mark can move."""
    if len(chosen) != 1:
        return "Select exactly one: there is one default."
    if not getattr(chosen[0], "is_available", True):
        return f"{chosen[0]} is disabled; people could not start with it."
    return ""

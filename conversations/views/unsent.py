"""What was written, sent as a form and not taken: the page that answers shows it, so that it is not lost without a script either.

It is kept nowhere but in that page, and never sent but by the person.
"""

from dataclasses import dataclass
from typing import Self

from django.http import HttpRequest
from django.urls import ResolverMatch, reverse

from conversations.forms.wishes import SettingsForm

WRITTEN_IN = {  # the field of what is sent there
    "start_conversation": "prompt",
    "start_turn": "prompt",
    "edit_turn": "prompt",
    "rewrite_answer": "text",
    "feedback": "comment",
}
BESIDE = ("temporary", "folder", "rating", *SettingsForm.base_fields)


@dataclass(frozen=True, slots=True)
class Unsent:
    """What `_unsent.html` expects."""

    action: str
    field: str
    text: str
    model: str
    request_key: str
    back: str  # the page it was written on
    beside: dict[str, str]  # what else was chosen: where a new conversation is kept and how it is set, what an answer is worth

    @classmethod
    def of(cls, request: HttpRequest) -> Self | None:
        """Return what was written in a form; None where there is nothing."""
        place = request.resolver_match
        if request.method != "POST" or place is None or place.url_name not in WRITTEN_IN:
            return None
        field = WRITTEN_IN[place.url_name]
        text, model, key = (request.POST.get(name, "") for name in (field, "model", "request_key"))
        beside = {name: request.POST[name] for name in BESIDE if request.POST.get(name)}
        return cls(request.path, field, text, model, key, page_of(place), beside) if text.strip() else None


def page_of(place: ResolverMatch) -> str:
    """The address of the page that it was written on."""
    if place.url_name == "start_turn":
        return reverse("conversation", kwargs=place.kwargs)
    return reverse(place.view_name, kwargs=place.kwargs) if place.kwargs else reverse("home")

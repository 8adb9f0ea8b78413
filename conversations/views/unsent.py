"""A prompt that was sent as a form and not taken: the page that answers shows it, so that it is not lost without a script either.

It is kept nowhere but in that page, and never sent but by the person.
"""

from dataclasses import dataclass
from typing import Self

from django.http import HttpRequest
from django.urls import reverse

TAKES_PROMPTS = {"start_conversation", "start_turn"}


@dataclass(frozen=True, slots=True)
class Unsent:
    """What `_unsent.html` expects."""

    action: str
    text: str
    model: str
    request_key: str
    back: str  # the page it was written on

    @classmethod
    def of(cls, request: HttpRequest) -> Self | None:
        """Return the prompt of a form; None where there is none."""
        place = request.resolver_match
        if request.method != "POST" or place is None or place.url_name not in TAKES_PROMPTS:
            return None
        text, model, key = (request.POST.get(name, "") for name in ("prompt", "model", "request_key"))
        back = reverse("conversation", kwargs=place.kwargs) if place.kwargs else reverse("home")
        return cls(request.path, text, model, key, back) if text.strip() else None

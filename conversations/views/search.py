"""Search: what a person wrote and was answered, by words; a page, the results alone for htmx, or JSON."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET

from conversations.models import Conversation, Message, Role
from conversations.models.search import find_messages, find_titles
from conversations.models.search_terms import MOST_CHARACTERS, Terms, TooSlow
from conversations.rendering.snippets import highlight, snippet

from .addresses import address_of
from .pages import page
from .programs import with_token
from .requests import SignedInRequest, is_htmx, is_program, number_in, refusal, signed_in

TOO_SLOW = "This search takes too long. Add a word that is less common."


@dataclass(frozen=True, slots=True)
class Title:
    """A conversation whose title was found."""

    conversation: Conversation
    title: str


@dataclass(frozen=True, slots=True)
class Result:
    """A message that was found."""

    message: Message
    snippet: str

    @property
    def is_prompt(self) -> bool:
        return self.message.role == Role.USER

    @property
    def url(self) -> str:
        return address_of(self.message)


@with_token()
@require_GET
@signed_in
def search(request: SignedInRequest) -> HttpResponse:
    """What holds the words of `?q=`, newest first; with `?before=` what comes behind that message in the list."""
    typed = request.GET.get("q", "")[:MOST_CHARACTERS]
    try:
        found = results(request, typed)
    except TooSlow:
        found = {"error": TOO_SLOW}
    if is_program(request):
        return as_json(request, found)
    context = {"typed": typed, "before": number_in(request, "before"), **found}
    if is_htmx(request):
        response = render(request, "_results_more.html" if context["before"] else "_results_changed.html", context)
    else:
        response = page(request, "search.html", **context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def results(request: SignedInRequest, typed: str) -> dict[str, Any]:
    terms, before, owner = Terms.of(typed), number_in(request, "before"), request.user.pk
    found = find_messages(owner, terms, before)
    titles = [] if before else find_titles(owner, terms)
    return {
        "is_asked": bool(terms),
        "titles": [Title(conversation, highlight(conversation.title, terms.wanted)) for conversation in titles],
        "results": [Result(message, snippet(message.text, terms.wanted)) for message in found.messages],
        "older": found.older,
    }


def as_json(request: SignedInRequest, found: dict[str, Any]) -> HttpResponse:
    if "error" in found:
        return refusal(request, found["error"], 422, "too_slow")
    conversations = [
        {"id": each.conversation.pk, "title": each.conversation.title, "url": reverse("conversation", args=[each.conversation.pk])}
        for each in found["titles"]
    ]
    messages = [
        {
            "id": each.message.pk,
            "conversation": each.message.conversation_id,
            "title": each.message.conversation.title,
            "role": each.message.role,
            "created_at": each.message.created_at,
            "url": each.url,
        }
        for each in found["results"]
    ]
    return JsonResponse({"conversations": conversations, "messages": messages, "before": found["older"]})

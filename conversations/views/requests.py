"""Who asks, and in which form the answer goes back: a page, a fragment for htmx, or JSON for a program."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, TooManyFieldsSent
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.html import format_html

from chatsite.bearer import secret_in
from conversations.models.keys import key_in

from .unsent import Unsent

FORMS = {"", "application/x-www-form-urlencoded", "multipart/form-data"}
TEXT_OR_KEY, NUMBERS = (str, int), (str, int, float)
SIGNED_OUT = "You are logged out. Log in again in another tab, then try once more: your text is still here."


class SignedInRequest(HttpRequest):
    user: User


class NoJsonObject(BadRequest):
    """A body that is neither a form nor a JSON object."""


type View = Callable[..., HttpResponseBase]


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def is_program(request: HttpRequest) -> bool:
    """Say whether the client asked for JSON rather than for a page, or comes with a token. Errors ask this too, so it never raises."""
    if secret_in(request.headers.get("Authorization", "")) is not None or is_openai(request):
        return True
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return True
    try:
        return request.GET.get("format") == "json"
    except TooManyFieldsSent:
        return False


def is_openai(request: HttpRequest) -> bool:
    """Say whether the address is one of OpenAI's clients, which only programs have."""
    return request.path.startswith("/v1/")


def number_in(request: HttpRequest, name: str) -> int:
    """A key in the address; 0 for what is none."""
    return key_in(request.GET.get(name))


def refusal(
    request: HttpRequest, sentence: str, status: int, code: str, more: str = "", *, beside: str = "composer-error", param: str | None = None
) -> HttpResponse:
    """Return a refusal for htmx or a program: the sentence, beside the composer or as JSON. Nothing else of the page changes.

    `more` is HTML for htmx: another partial. `beside` is the id of another place for the sentence.
    `param` is what OpenAI's clients are told of where it is wrong.
    """
    if is_program(request):
        kind = {"type": "server_error" if status >= 500 else "invalid_request_error", "param": param} if is_openai(request) else {}
        return JsonResponse({"error": {"code": code, "message": sentence, **kind}}, status=status)
    partial = format_html('<hx-partial hx-target="#{}" hx-swap="innerHTML">{}</hx-partial>', beside, sentence)
    return HttpResponse(partial + more, status=status, headers={"HX-Reswap": "none"})


def signed_in(view: View) -> View:
    """Let only people who are signed in pass. A prompt is shown again, a page goes to the sign-in form; the rest is told in place."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if is_htmx(request) or is_program(request):
            return refusal(request, SIGNED_OUT, 401, "signed_out")
        if unsent := Unsent.of(request):
            return render(request, "401.html", {"unsent": unsent}, status=401)
        return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")

    return guarded


def form_data(request: HttpRequest, *kinds: type) -> QueryDict | dict[str, Any]:
    """Return the fields sent, from a form or from a JSON object; raises NoJsonObject for what is neither.

    A field that is null is as good as absent; one that is none of `kinds`, text and whole numbers unless they are given, is empty.
    """
    if request.content_type in FORMS:
        return request.POST
    if not request.body:
        return {}
    fields = json_object(request)
    return {name: value if type(value) in (kinds or TEXT_OR_KEY) else "" for name, value in fields.items() if value is not None}


def json_object(request: HttpRequest) -> dict[str, Any]:
    try:
        found = json.loads(request.body) if request.content_type == "application/json" else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NoJsonObject("the body is not a JSON object")
    return found

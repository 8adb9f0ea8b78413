"""Who asks, and in which form the answer goes back: a page, a fragment for htmx, or JSON for a program."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils.html import format_html

SIGNED_OUT = "You have been signed out. Sign in again in another tab, then send once more: your text is still here."


class SignedInRequest(HttpRequest):
    user: User


type View = Callable[..., HttpResponseBase]


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def is_program(request: HttpRequest) -> bool:
    """Say whether the client asked for JSON rather than for a page."""
    if request.GET.get("format") == "json":
        return True
    accepted = request.get_preferred_type(["text/html", "application/json"])
    return accepted == "application/json"


def refusal(request: HttpRequest, sentence: str, status: int, code: str) -> HttpResponse:
    """Return a refusal for htmx or a program: the sentence, beside the composer or as JSON. Nothing else of the page changes."""
    if is_program(request):
        return JsonResponse({"error": {"code": code, "message": sentence}}, status=status)
    partial = format_html('<hx-partial hx-target="#composer-error" hx-swap="innerHTML">{}</hx-partial>', sentence)
    return HttpResponse(partial, status=status, headers={"HX-Reswap": "none"})


def signed_in(view: View) -> View:
    """Let only people who are signed in pass. A page goes to the sign-in form; the rest is told in place."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if is_htmx(request) or is_program(request):
            return refusal(request, SIGNED_OUT, 401, "signed_out")
        return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")

    return guarded


def form_data(request: HttpRequest) -> QueryDict | dict[str, Any]:
    """Return the fields sent, from a form or from a JSON object; {} for what is neither."""
    if request.content_type != "application/json":
        return request.POST
    try:
        data = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return {key: value for key, value in data.items() if type(value) in (str, int)} if isinstance(data, dict) else {}

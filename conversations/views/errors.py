"""Answers to what went wrong before, or around, a view of ours: a page, a sentence for htmx, or JSON for a program."""

import sys

from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.views import defaults

from .requests import NoJsonObject, is_htmx, is_program, refusal
from .unsent import Unsent

FORGED = "This page was open too long, or you have logged in again since. It is renewed now, and your text is still here: send it again."
FORGED_BY_A_PROGRAM = "The CSRF token is missing or not the one of the cookie csrftoken. Send that as X-CSRFToken, and send again."
NOT_FOUND = "There is nothing here: it does not exist, was deleted, or belongs to somebody else."
NOT_ALLOWED = "This is not yours to open."
BROKEN = "Something broke on our side. Try again in a moment."
UNAVAILABLE = "The database cannot be used just now. Nothing you wrote is lost: try again in a moment."
TOO_LARGE_UNKNOWN = "This is too large to send without being logged in. Log in in another tab, then send it again."
WRONG_NAME = "This site does not answer to the name “{}”. Whoever runs it can add that name to ALLOWED_HOSTS."
TOO_MANY = "That was tried too often. Wait a minute, then try again."
RETRY_AFTER = 5  # seconds
COUNTED_SECONDS = 60  # for which attempts from one address are counted
UNREADABLE = ("bad_request", 400, "The server could not read what was sent.")
REFUSALS: dict[type[Exception], tuple[str, int, str]] = {
    NoJsonObject: ("not_json", 400, "The body of this request is neither a form nor a JSON object."),
    RequestDataTooBig: ("too_large", 413, "This is too large to send. Shorten it and send again."),
    TooManyFieldsSent: ("too_many_fields", 400, "This has too many fields."),
    TooManyFilesSent: ("too_many_fields", 400, "This has too many files."),
}


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Refuse a form that may be forged. One of our own, with an old token, gets the new one, and is sent again by the person."""
    if is_program(request):
        return refusal(request, FORGED_BY_A_PROGRAM, 403, "csrf")
    if is_htmx(request):
        return refusal(request, FORGED, 403, "csrf", renewed_tokens(request))
    is_ours = not reason.startswith(("Origin", "Referer"))  # Django checks where it came from before it looks at the token
    return render(request, "403_csrf.html", {"unsent": Unsent.of(request), "is_ours": is_ours}, status=403)


def renewed_tokens(request: HttpRequest) -> str:
    """Return a partial that puts the token of today into every form of the page. No other site can read it."""
    field = format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', get_token(request))
    return format_html('<hx-partial hx-target="[name=csrfmiddlewaretoken]" hx-swap="outerHTML">{}</hx-partial>', field)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig) and not request.user.is_authenticated:
        return reply(request, "400.html", TOO_LARGE_UNKNOWN, 413, "too_large")
    if isinstance(exception, DisallowedHost):
        sentence = WRONG_NAME.format(request.META.get("HTTP_HOST", "")[:100])
        return reply(request, "400.html", sentence, 400, "wrong_name", title="This site has another name")
    code, status, sentence = next((told for kind, told in REFUSALS.items() if isinstance(exception, kind)), UNREADABLE)
    return reply(request, "400.html", sentence, status, code)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return reply(request, "403.html", NOT_ALLOWED, 403, "not_allowed")


def too_many(request: HttpRequest) -> HttpResponse:
    """Refuse what was tried too often from one address; allauth counts."""
    told = reply(request, "429.html", TOO_MANY, 429, "too_many")
    told.headers["Retry-After"] = str(COUNTED_SECONDS)
    return told


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return reply(request, "404.html", NOT_FOUND, 404, "not_found", unsent=Unsent.of(request))


def server_error(request: HttpRequest) -> HttpResponse:
    """Say so with as little as possible: whatever broke may break this too."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return unavailable(request)
    if is_htmx(request) or is_program(request):
        return refusal(request, BROKEN, 500, "internal_error")
    return defaults.server_error(request)


def unavailable(request: HttpRequest) -> HttpResponse:
    """Say that the database is away, without asking it anything."""
    if is_htmx(request) or is_program(request):
        told = refusal(request, UNAVAILABLE, 503, "unavailable")
    else:
        context = {"request": request, "unsent": Unsent.of(request), "csrf_token": get_token(request), "seconds": RETRY_AFTER}
        told = HttpResponse(render_to_string("503.html", context), status=503)
    told.headers["Retry-After"] = str(RETRY_AFTER)
    return told


def reply(request: HttpRequest, template: str, sentence: str, status: int, code: str, **context: object) -> HttpResponse:
    if is_htmx(request) or is_program(request):
        return refusal(request, sentence, status, code)
    return render(request, template, {"sentence": sentence, **context}, status=status)

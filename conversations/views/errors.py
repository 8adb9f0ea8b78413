"""Pages for what went wrong before a view of ours could answer."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from .requests import is_htmx, is_program, refusal

FORGED = "This page is too old to send from. Reload it and send again: your text stays if you copy it first."


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    if is_htmx(request) or is_program(request):
        return refusal(request, FORGED, 403, "csrf")
    return render(request, "403_csrf.html", status=403)

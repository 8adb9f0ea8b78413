"""Pages beside the sidebar that are no conversation."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from .requests import SignedInRequest
from .sidebar import sidebar_of


def page(request: SignedInRequest, template: str, status: int = 200, *, open: int = 0, **context: Any) -> HttpResponse:
    """Render a template that extends page.html. `open` is the conversation that it is about."""
    return render(request, template, {"sidebar": sidebar_of(request, open), **context}, status=status)

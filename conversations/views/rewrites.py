"""An answer that a person writes anew: it stands beside the one there is, and nothing is overwritten."""

import uuid
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from conversations.forms.answers import RewriteForm
from conversations.generation.changes import Kind, tell_of
from conversations.models import Message, Role, TurnRefused
from conversations.models import rewrite as write_anew

from .addresses import address_of
from .feedback import LIVE
from .messages import find_message
from .pages import page
from .paths import path_in_place_of
from .programs import with_token
from .requests import SignedInRequest, form_data, is_htmx, is_program, refusal, signed_in


@with_token(get=None)
@require_http_methods(["GET", "POST"])
@signed_in
def rewrite(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask for an answer's Markdown in a form, or put what was made of it beside the answer."""
    answer = find_message(request, pk, Role.ASSISTANT)
    if answer.is_live:
        return refuse(request, answer, LIVE, 409, "busy")
    if request.method == "GET":
        return form_for(request, answer, text=answer.text)
    form = RewriteForm(form_data(request))
    if not form.is_valid():
        return refuse(request, answer, form.sentence, 422, "invalid", form)
    try:
        written = write_anew(answer, form.cleaned_data["text"], form.cleaned_data["request_key"])
    except TurnRefused as error:
        return refuse(request, answer, str(error), error.status, error.code, form)
    tell_of(answer.conversation, Kind.BRANCHED)
    if is_program(request):
        return JsonResponse({"answer": written.pk, "url": address_of(written)}, status=201)
    if is_htmx(request):
        return path_in_place_of(request, answer)
    return redirect(address_of(written))


def form_for(request: SignedInRequest, answer: Message, status: int = 200, **more: Any) -> HttpResponse:
    """The form as a page, or for htmx as a part of one."""
    context: dict[str, Any] = {"answer": answer, "address": address_of(answer), "request_key": uuid.uuid4()}
    if is_htmx(request):
        return render(request, "_rewrite_form.html", context | more)
    return page(request, "rewrite.html", status, conversation=answer.conversation, **context | more)


def refuse(
    request: SignedInRequest, answer: Message, sentence: str, status: int, code: str, form: RewriteForm | None = None
) -> HttpResponse:
    """Say in the form what is wrong; what was written stays there."""
    if is_htmx(request) or is_program(request):
        return refusal(request, sentence, status, code, beside=f"message-{answer.pk}-rewrite-error" if form else "composer-error")
    text = form.data.get("text", "") if form else answer.text
    return form_for(request, answer, status, text=text, error=sentence)

"""Turns that are there already: the prompt edited, the turn deleted and restored. A turn is named by its prompt."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from conversations.forms import TurnForm
from conversations.generation.changes import Kind, tell_of
from conversations.generation.supervisor import supervisor
from conversations.models import Conversation, Message, Role, TurnRefused, delete_turn, edit, restore_turn

from .chat import composer_for
from .messages import find_message, refuse, run, turn_created
from .pages import page
from .paths import path_after, path_in_place_of
from .requests import SignedInRequest, form_data, is_htmx, is_program, refusal, signed_in


@require_http_methods(["GET", "POST"])
@signed_in
def change(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """Ask for the prompt in a form, or begin a turn beside it."""
    prompt = find_message(request, pk, Role.USER)
    if request.method == "GET":
        return form_for(request, prompt)
    form = TurnForm(form_data(request), fallback=lambda: prompt.conversation.model)
    if not form.is_valid():
        return refuse_edit(request, prompt, form, form.sentence, 422, "invalid")
    try:
        turn = edit(prompt, form.cleaned_data["prompt"], form.cleaned_data["model"], form.cleaned_data["request_key"])
    except TurnRefused as error:
        return refuse_edit(request, prompt, form, str(error), 409, error.code)
    run(turn)
    if is_program(request):
        return turn_created(turn)
    if is_htmx(request):
        return path_in_place_of(request, prompt)
    return redirect(f"{reverse('conversation', args=[prompt.conversation_id])}#message-{turn.prompt.pk}")


def form_for(request: SignedInRequest, prompt: Message, status: int = 200, **more: Any) -> HttpResponse:
    """The form as a page, or for htmx as a part of one."""
    composer = composer_for(prompt.conversation)
    context: dict[str, Any] = {
        "prompt": prompt,
        "text": prompt.text,
        "groups": composer.groups,
        "model": composer.selected,
        "request_key": uuid.uuid4(),
    }
    if is_htmx(request):
        return render(request, "_edit_form.html", context)
    return page(request, "edit.html", status, open=prompt.conversation_id, conversation=prompt.conversation, **context | more)


def refuse_edit(request: SignedInRequest, prompt: Message, form: TurnForm, sentence: str, status: int, code: str) -> HttpResponse:
    """Say in the form what is wrong; what was written stays there."""
    if is_program(request) or is_htmx(request):
        return refusal(request, sentence, status, code, beside=f"message-{prompt.pk}-edit-error")
    return form_for(request, prompt, status, text=form.data.get("prompt", ""), error=sentence)


@require_POST
@signed_in
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    prompt = find_message(request, pk, Role.USER)
    try:
        for generation_id in delete_turn(prompt):
            supervisor.notify(generation_id)
    except TurnRefused as error:
        return refuse(request, prompt.conversation, str(error), 409, error.code)
    tell_of(prompt.conversation, Kind.BRANCHED)
    if is_program(request):
        return HttpResponse(status=204)
    if is_htmx(request):
        return path_in_place_of(request, prompt, notice=deletion_notice(prompt))
    return redirect(f"{reverse('conversation', args=[prompt.conversation_id])}?deleted={pk}")


@require_POST
@signed_in
def restore(request: SignedInRequest, pk: int) -> HttpResponse:
    own = Message.objects.filter(conversation__owner=request.user, conversation__deleted_at=None, role=Role.USER)
    prompt = get_object_or_404(own.exclude(deleted_at=None).select_related("conversation"), pk=pk)
    try:
        restore_turn(prompt)
    except TurnRefused as error:
        return refuse(request, prompt.conversation, str(error), 409, error.code)
    tell_of(prompt.conversation, Kind.BRANCHED)
    if is_program(request):
        return HttpResponse(status=204)
    if is_htmx(request):
        prompt.conversation.refresh_from_db()
        return render(request, "_path.html", path_after(prompt.conversation, 0) | {"is_notice_over": True})
    return redirect(f"{reverse('conversation', args=[prompt.conversation_id])}#message-{pk}")


def deleted_turn(conversation: Conversation, pk: int) -> dict[str, Any] | None:
    """What is said of a turn that a page names as deleted; None if it is none."""
    prompt = conversation.messages.filter(pk=pk, role=Role.USER).exclude(deleted_at=None).first() if pk else None
    return deletion_notice(prompt) if prompt else None


def deletion_notice(prompt: Message) -> dict[str, Any]:
    """What `_notice.html` says of a turn that was deleted."""
    return {"text": "The turn was deleted, with all that followed it.", "turn": prompt.pk}

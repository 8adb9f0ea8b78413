"""Turns that are there already: the prompt edited, the turn deleted and restored. A turn is named by its prompt."""

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from conversations.forms import TurnForm
from conversations.generation.changes import Kind, tell_of
from conversations.generation.supervisor import supervisor
from conversations.models import Conversation, Message, Role, TurnRefused, delete_turn, edit, restore_turn
from conversations.models.branches import Shown
from conversations.models.catalog import itself_or_successor
from conversations.models.keys import key_in

from .chat import composer_for
from .messages import find_message, refuse, run, to_be_sent_again, turn_created
from .notices import Notice
from .pages import page
from .paths import path_after, path_in_place_of
from .programs import with_token
from .requests import SignedInRequest, form_data, is_htmx, is_program, number_in, refusal, signed_in


@with_token(get=None)
@require_http_methods(["GET", "POST"])
@signed_in
def change(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """Ask for the prompt in a form, or begin a turn beside it."""
    prompt = find_message(request, pk, Role.USER)
    if request.method == "GET":
        return form_for(request, prompt)
    form = TurnForm(
        form_data(request), person=request.user.pk, fallback=lambda: itself_or_successor(prompt.conversation.model, request.user.pk)
    )
    if not form.is_valid():
        return refuse_edit(request, prompt, form, form.sentence, 422, "invalid")
    try:
        turn = edit(prompt, form.cleaned_data["prompt"], form.cleaned_data["model"], form.cleaned_data["request_key"])
    except TurnRefused as error:
        return to_be_sent_again(refuse_edit(request, prompt, form, str(error), error.status, error.code), error)
    run(turn)
    if is_program(request):
        return turn_created(turn)
    if is_htmx(request):
        return path_in_place_of(request, prompt)
    return redirect(f"{reverse('conversation', args=[prompt.conversation_id])}#message-{turn.prompt.pk}")


def form_for(request: SignedInRequest, prompt: Message, status: int = 200, **more: Any) -> HttpResponse:
    """The form as a page, or for htmx as a part of one."""
    composer = composer_for(request, prompt.conversation)
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


@with_token(get=None)
@require_POST
@signed_in
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete a turn. The page that answers knows what was shown until then, so that undoing it shows that again."""
    prompt = find_message(request, pk, Role.USER)
    shown = Shown(prompt.conversation.head_id, prompt.conversation.rival_id)
    try:
        for generation_id in delete_turn(prompt):
            supervisor.notify(generation_id)
    except TurnRefused as error:
        return refuse(request, prompt.conversation, str(error), error.status, error.code)
    tell_of(prompt.conversation, Kind.BRANCHED)
    if is_program(request):
        return HttpResponse(status=204)
    query = urlencode({"deleted": pk} | {name: end for name, end in shown._asdict().items() if end})
    if is_htmx(request):
        return path_in_place_of(request, prompt, query, notice=Notice.of_turn(prompt, shown))
    return redirect(f"{reverse('conversation', args=[prompt.conversation_id])}?{query}")


@with_token(get=None)
@require_POST
@signed_in
def restore(request: SignedInRequest, pk: int) -> HttpResponse:
    prompts = Message.objects.of(request.user).trashed().filter(role=Role.USER)
    prompt = get_object_or_404(prompts.select_related("conversation"), pk=pk)
    try:
        restore_turn(prompt, shown_in(form_data(request)))
    except TurnRefused as error:
        return refuse(request, prompt.conversation, str(error), error.status, error.code)
    tell_of(prompt.conversation, Kind.BRANCHED)
    if is_program(request):
        return HttpResponse(status=204)
    if is_htmx(request):
        prompt.conversation.refresh_from_db()
        return render(request, "_path.html", path_after(prompt.conversation, 0) | {"is_notice_over": True})
    return redirect(f"{reverse('conversation', args=[prompt.conversation_id])}#message-{pk}")


def shown_in(fields: Mapping[str, Any]) -> Shown | None:
    """What was shown before a turn was deleted, as a form or an address names it."""
    head = key_in(fields.get("head"))
    return Shown(head, key_in(fields.get("rival")) or None) if head else None


def deleted_turn(request: SignedInRequest, conversation: Conversation) -> Notice | None:
    """What is said of the turn that the address of a page names as deleted; None if it is none."""
    pk = number_in(request, "deleted")
    prompt = conversation.messages.trashed().filter(pk=pk, role=Role.USER).first() if pk else None
    return Notice.of_turn(prompt, shown_in(request.GET) or Shown(None)) if prompt else None

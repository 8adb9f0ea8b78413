"""Messages: begin a turn, stop an answer, read its Markdown. Each is one call of the domain and a reply."""

import uuid
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from conversations.forms import TurnForm
from conversations.forms.wishes import SettingsForm
from conversations.generation.changes import Kind, tell_of
from conversations.generation.supervisor import supervisor
from conversations.models import Conversation, LanguageModel, Message, Role, Turn, TurnRefused, start_turn
from conversations.models.catalog import itself_or_successor
from conversations.rendering.answers import Answer
from conversations.rendering.budgets import low_of
from conversations.rendering.prompts import Prompt

from .chat import chat_page, composer_for, find_own
from .paths import path_beside
from .programs import with_token
from .requests import SignedInRequest, form_data, is_htmx, is_program, refusal, signed_in


def find_answer(request: SignedInRequest, pk: int) -> Message:
    """An answer in one of the person's own conversations, not deleted; else 404."""
    return get_object_or_404(Message.objects.answers_for(request.user).select_related("generation__model__provider", "conversation"), pk=pk)


@with_token(get=None)
@require_POST
@signed_in
def start(request: SignedInRequest, pk: int) -> HttpResponseBase:
    conversation = find_own(request, pk)
    form = TurnForm(form_data(request), person=request.user.pk, fallback=lambda: itself_or_successor(conversation.model, request.user.pk))
    if not form.is_valid():
        return refuse_turn(request, conversation, form)
    try:
        turn = start_turn(conversation, form.cleaned_data["prompt"], form.cleaned_data["model"], form.cleaned_data["request_key"])
    except TurnRefused as error:
        return not_begun(request, conversation, error, form)
    run(turn)
    if is_program(request):
        return turn_created(turn)
    if is_htmx(request):
        return render(request, "_turn.html", shown_turn(turn, conversation))
    return redirect(f"{reverse('conversation', args=[pk])}#message-{turn.answer.pk}")


@with_token(get=None)
@require_POST
@signed_in
def stop(request: SignedInRequest, pk: int) -> HttpResponse:
    answer = find_answer(request, pk)
    if answer.generation.request_stop():
        supervisor.notify(answer.generation.pk)
        if not answer.generation.is_live:  # nobody had begun it, so nobody else tells of its end
            tell_of(answer.conversation, Kind.ENDED, answer.pk)
    if is_htmx(request) or is_program(request):
        return HttpResponse(status=204)
    return redirect("conversation", answer.conversation_id)


def find_message(request: SignedInRequest, pk: int, role: Role) -> Message:
    """A message in one of the person's own conversations, not deleted, whoever wrote it; else 404."""
    messages = Message.objects.visible_to(request.user).filter(role=role)
    return get_object_or_404(messages.select_related("generation__model__provider", "conversation"), pk=pk)


def run(turn: Turn) -> None:
    """Have a turn answered that has just been committed, and shown on the other pages of its owner."""
    for answer in turn.answers:
        supervisor.notify(answer.generation.pk)
    tell_of(turn.conversation, Kind.BEGUN, turn.answer.pk)


def shown_turn(turn: Turn, before: Conversation) -> dict[str, Any]:
    """What `_turn.html` expects; `before` may have been in a comparison, which the turn has brought to its end."""
    shown = {"prompt": Prompt(turn.prompt), "answer": Answer(turn.answer), "request_key": uuid.uuid4()}
    if turn.generation.is_budgeted:
        shown["low"] = low_of(turn.conversation.owner_id)
    return shown | path_beside(turn.conversation, before.rival) if before.rival else shown


def turn_created(turn: Turn) -> JsonResponse:
    """What a program is told of the turn it began."""
    body = {
        "conversation": turn.conversation.pk,
        "prompt": turn.prompt.pk,
        "answer": turn.answer.pk,
        "url": reverse("conversation", args=[turn.conversation.pk]),
        "events_url": f"{reverse('answer_events', args=[turn.answer.pk])}?format=json",
        "stop_url": reverse("stop_answer", args=[turn.answer.pk]),
    }
    if turn.rival:
        body["rival"] = turn.rival.pk
    return JsonResponse(body, status=201)


def refuse_turn(
    request: SignedInRequest, conversation: Conversation | None, form: TurnForm, settings: SettingsForm | None = None
) -> HttpResponse:
    """Say what is wrong with a prompt or, in a new chat, with its settings; all of it stays where it was written."""
    if not LanguageModel.objects.available(request.user.pk).exists():
        return refuse(request, conversation, "No model is set up yet. Staff can add one in the admin.", 422, "no_model", form)
    sentence = settings.sentence if settings and form.is_valid() else form.sentence
    return refuse(request, conversation, sentence, 422, "invalid", form, settings)


def not_begun(
    request: SignedInRequest,
    conversation: Conversation | None,
    error: TurnRefused,
    form: TurnForm | None = None,
    settings: SettingsForm | None = None,
) -> HttpResponse:
    """Say why a turn cannot begin now; what was written stays where it was written."""
    return to_be_sent_again(refuse(request, conversation, str(error), error.status, error.code, form, settings), error)


def to_be_sent_again(response: HttpResponse, error: TurnRefused) -> HttpResponse:
    """Add after how many seconds, where that is known."""
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def refuse(
    request: SignedInRequest,
    conversation: Conversation | None,
    sentence: str,
    status: int,
    code: str,
    form: TurnForm | None = None,
    settings: SettingsForm | None = None,
) -> HttpResponse:
    """Refuse with a sentence; on a page what was written stays in the composer, with the model that was picked."""
    if is_htmx(request) or is_program(request):
        return refusal(request, sentence, status, code)
    text, model = (form.data.get("prompt", ""), form.cleaned_data.get("model")) if form else ("", None)
    composer = composer_for(request, conversation, text, sentence, model and model.pk)
    return chat_page(request, conversation, composer, status=status, settings=settings)

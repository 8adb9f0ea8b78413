"""Messages: begin a turn, stop and retry an answer, read its Markdown. Each is one call of the domain and a reply."""

import uuid

from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from conversations.events import EventKind
from conversations.forms import TurnForm
from conversations.generation.changes import Kind, tell_of
from conversations.generation.ending import joined
from conversations.generation.journal import entries
from conversations.generation.supervisor import supervisor
from conversations.models import Conversation, LanguageModel, Message, Turn, TurnRefused, retry, start_turn
from conversations.rendering.answers import Answer

from .chat import chat_page, composer_for, find_own
from .requests import SignedInRequest, form_data, is_htmx, is_program, refusal, signed_in


def find_answer(request: SignedInRequest, pk: int) -> Message:
    """An answer in one of the person's own conversations, not deleted; else 404."""
    return get_object_or_404(Message.objects.answers_for(request.user).select_related("generation__model__provider", "conversation"), pk=pk)


@require_POST
@signed_in
def start(request: SignedInRequest, pk: int) -> HttpResponseBase:
    conversation = find_own(request, pk)
    form = TurnForm(form_data(request), fallback=lambda: conversation.model)
    if not form.is_valid():
        return refuse_turn(request, conversation, form)
    try:
        turn = start_turn(conversation, form.cleaned_data["prompt"], form.cleaned_data["model"], form.cleaned_data["request_key"])
    except TurnRefused as error:
        return refuse(request, conversation, str(error), 409, "busy", form)
    run(turn)
    if is_program(request):
        return turn_created(turn)
    if is_htmx(request):
        return render(request, "_turn.html", {"prompt": turn.prompt, "answer": Answer(turn.answer), "request_key": uuid.uuid4()})
    return redirect(f"{reverse('conversation', args=[pk])}#message-{turn.answer.pk}")


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


@require_POST
@signed_in
def try_again(request: SignedInRequest, pk: int) -> HttpResponseBase:
    answer = find_answer(request, pk)
    model = model_for_retry(request, answer)
    if model is None:
        return refuse(
            request, answer.conversation, "That model is not available any more. Pick another one and send again.", 422, "no_model"
        )
    try:
        turn = retry(answer, model)
    except TurnRefused as error:
        return refuse(request, answer.conversation, str(error), 409, "busy")
    run(turn)
    if is_program(request):
        return turn_created(turn)
    if is_htmx(request):
        return render(request, "_answer.html", {"answer": Answer(turn.answer)})
    return redirect(f"{reverse('conversation', args=[answer.conversation_id])}#message-{turn.answer.pk}")


def model_for_retry(request: SignedInRequest, answer: Message) -> LanguageModel | None:
    """The model asked for, else the one that answered, else the default: whichever people may pick."""
    available = LanguageModel.objects.available()
    if wanted := str(form_data(request).get("model", "")):
        return available.filter(pk=int(wanted)).first() if wanted.isdecimal() and len(wanted) < 19 else None
    own = answer.generation.model
    return own if own and own.is_available else LanguageModel.objects.default()


@require_GET
@signed_in
def source(request: SignedInRequest, pk: int) -> HttpResponse:
    """The Markdown of an answer as it stands."""
    answer = find_answer(request, pk)
    if answer.generation.is_live:
        text = joined(entries(answer.generation.pk), EventKind.TEXT_DELTA) or find_answer(request, pk).text  # it may have ended just now
    else:
        text = answer.text
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def run(turn: Turn) -> None:
    """Have a turn answered that has just been committed, and shown on the other pages of its owner."""
    supervisor.notify(turn.generation.pk)
    tell_of(turn.conversation, Kind.BEGUN, turn.answer.pk)


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
    return JsonResponse(body, status=201)


def refuse_turn(request: SignedInRequest, conversation: Conversation | None, form: TurnForm) -> HttpResponse:
    """Say what is wrong with a prompt, which stays in the composer."""
    if not LanguageModel.objects.available().exists():
        return refuse(request, conversation, "No model is set up yet. Staff can add one in the admin.", 422, "no_model", form)
    return refuse(request, conversation, form.sentence(), 422, "invalid", form)


def refuse(
    request: SignedInRequest, conversation: Conversation | None, sentence: str, status: int, code: str, form: TurnForm | None = None
) -> HttpResponse:
    """Refuse with a sentence; on a page what was written stays in the composer, with the model that was picked."""
    if is_htmx(request) or is_program(request):
        return refusal(request, sentence, status, code)
    text, model = (form.data.get("prompt", ""), form.cleaned_data.get("model")) if form else ("", None)
    return chat_page(request, conversation, composer_for(conversation, text, sentence, model and model.pk), status=status)

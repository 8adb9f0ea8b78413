"""Other answers to a prompt: again, of another model, two beside each other, or the rest of one that was cut off."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from conversations.forms import NOT_AVAILABLE
from conversations.models import LanguageModel, Message, Role, Turn, TurnRefused, answer_prompt, go_on, retry
from conversations.models.catalog import available_model, stand_in_for
from conversations.models.keys import key_in

from .chat import composer_for
from .messages import find_message, not_begun, refuse, run, turn_created
from .pages import page
from .paths import path_in_place_of
from .programs import with_token
from .requests import SignedInRequest, form_data, is_htmx, is_program, signed_in


class Unavailable(Exception):
    """A model was asked for that people may not pick."""


@with_token(get=None)
@require_http_methods(["GET", "POST"])
@signed_in
def again(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """Ask for the form in which a model, or two of them, are picked; or answer again."""
    answer = find_message(request, pk, Role.ASSISTANT)
    if request.method == "GET":
        return form_for(request, answer, reverse("retry_answer", args=[pk]))
    return answered(request, answer, lambda: retry(answer, picked(request, "model") or model_of(answer), picked(request, "rival")))


@with_token(get=None)
@require_http_methods(["GET", "POST"])
@signed_in
def first(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The same for a prompt, whether it has been answered or not."""
    prompt = find_message(request, pk, Role.USER)
    if request.method == "GET":
        return form_for(request, prompt, reverse("answer_turn", args=[pk]))
    return answered(request, prompt, lambda: answer_prompt(prompt, picked(request, "model") or model_of(prompt), picked(request, "rival")))


@with_token(get=None)
@require_POST
@signed_in
def rest(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """Go on with an answer that was cut off, with the model that wrote it."""
    answer = find_message(request, pk, Role.ASSISTANT)
    return answered(request, answer, lambda: go_on(answer, model_of(answer)))


def form_for(request: SignedInRequest, message: Message, action: str) -> HttpResponse:
    """The form as a page, or for htmx as a part of one; with `?compare` a second model is picked from the start."""
    groups = composer_for(request, message.conversation).groups
    available = [model for _, models in groups for model in models]
    own = model_of(message) if available else None
    rival = next((model for model in available if model != own), own) if "compare" in request.GET else None
    context: dict[str, Any] = {
        "message": message,
        "action": action,
        "groups": groups,
        "model": own and own.pk,
        "rival": rival and rival.pk,
    }
    if is_htmx(request):
        return render(request, "_retry_form.html", context)
    return page(request, "retry.html", open=message.conversation_id, conversation=message.conversation, **context)


def answered(request: SignedInRequest, message: Message, begin: Callable[[], Turn]) -> HttpResponseBase:
    """Begin a turn, and reply with it in the place of the answer, or the prompt, that was shown; or say why it cannot begin."""
    try:
        turn = begin()
    except Unavailable:
        return refuse(request, message.conversation, NOT_AVAILABLE, 422, "no_model")
    except TurnRefused as error:
        return not_begun(request, message.conversation, error)
    run(turn)
    if is_program(request):
        return turn_created(turn)
    if is_htmx(request):
        return path_in_place_of(request, message)
    return redirect(f"{reverse('conversation', args=[message.conversation_id])}#message-{turn.answer.pk}")


def picked(request: SignedInRequest, name: str) -> LanguageModel | None:
    """The model that a field names; None where it is left open. Raises Unavailable."""
    wanted = str(form_data(request).get(name, ""))
    model = available_model.first(key_in(wanted), request.user.pk) if wanted else None
    if wanted and model is None:
        raise Unavailable
    return model


def model_of(answer: Message) -> LanguageModel:
    """The model that answered, or what stands in for it where its owner may not pick it. Raises Unavailable where there is none."""
    generation = getattr(answer, "generation", None)
    if model := stand_in_for(generation and generation.model, answer.conversation.owner_id):
        return model
    raise Unavailable

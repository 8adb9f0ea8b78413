"""Branches: show another of several prompts or answers, keep one of two that are compared, fork."""

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from conversations.generation.changes import Kind, tell_of
from conversations.generation.supervisor import supervisor
from conversations.models import Message, TurnRefused
from conversations.models import choose as choose_branch
from conversations.models import fork as fork_at
from conversations.models import keep as keep_answer

from .messages import refuse
from .paths import path_in_place_of
from .programs import with_token
from .requests import SignedInRequest, is_htmx, is_program, signed_in


def find(request: SignedInRequest, pk: int) -> Message:
    """A message in one of the person's own conversations, not deleted; else 404."""
    return get_object_or_404(Message.objects.visible_to(request.user).select_related("conversation"), pk=pk)


@with_token(get=None)
@require_POST
@signed_in
def choose(request: SignedInRequest, pk: int) -> HttpResponse:
    message = find(request, pk)
    try:
        choose_branch(message)
    except TurnRefused as error:
        return refuse(request, message.conversation, str(error), error.status, error.code)
    return shown_instead(request, message)


@with_token(get=None)
@require_POST
@signed_in
def keep(request: SignedInRequest, pk: int) -> HttpResponse:
    answer = find(request, pk)
    try:
        for generation_id in keep_answer(answer):
            supervisor.notify(generation_id)
    except TurnRefused as error:
        return refuse(request, answer.conversation, str(error), error.status, error.code)
    return shown_instead(request, answer, said="Kept")


def shown_instead(request: SignedInRequest, message: Message, **more: str) -> HttpResponse:
    """Reply with the path that was chosen."""
    tell_of(message.conversation, Kind.BRANCHED)
    if is_program(request):
        return HttpResponse(status=204)
    if is_htmx(request):
        return path_in_place_of(request, message, **more)
    return redirect(f"{reverse('conversation', args=[message.conversation_id])}#message-{message.pk}")


@with_token(get=None)
@require_POST
@signed_in
def fork(request: SignedInRequest, pk: int) -> HttpResponse:
    message = find(request, pk)
    try:
        conversation = fork_at(message)
    except TurnRefused as error:
        return refuse(request, message.conversation, str(error), error.status, error.code)
    tell_of(conversation, Kind.BRANCHED)
    if is_program(request):
        url = reverse("conversation", args=[conversation.pk])
        return JsonResponse({"conversation": conversation.pk, "url": url}, status=201)
    messages.success(request, "Forked. The other conversation stays as it is.")
    return redirect("conversation", conversation.pk)

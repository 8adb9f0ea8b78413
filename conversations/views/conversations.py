"""Conversations: begin, show, rename, delete and restore. Somebody else's is not found."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from conversations.forms import TitleForm, TurnForm
from conversations.generation.changes import Kind, tell_of
from conversations.generation.supervisor import supervisor
from conversations.models import LanguageModel, start_conversation

from .chat import chat_page, composer_for, deletion_notice, find_own
from .messages import refuse_turn, run, turn_created
from .requests import SignedInRequest, form_data, is_program, signed_in


@require_GET
@signed_in
def home(request: SignedInRequest) -> HttpResponse:
    deleted = request.GET.get("deleted", "")
    trashed = request.user.conversations.trashed().filter(pk=deleted).first() if deleted.isdecimal() and len(deleted) < 19 else None
    return chat_page(request, None, composer_for(None), notice=deletion_notice(trashed) if trashed else None)


@require_POST
@signed_in
def start(request: SignedInRequest) -> HttpResponseBase:
    form = TurnForm(form_data(request), fallback=LanguageModel.objects.default)
    if not form.is_valid():
        return refuse_turn(request, None, form)
    turn = start_conversation(request.user, form.cleaned_data["prompt"], form.cleaned_data["model"], form.cleaned_data["request_key"])
    run(turn)
    if is_program(request):
        return turn_created(turn)
    return redirect("conversation", turn.conversation.pk)


@require_GET
@signed_in
def show(request: SignedInRequest, pk: int) -> HttpResponse:
    conversation = find_own(request, pk)
    return chat_page(request, conversation, composer_for(conversation))


@require_POST
@signed_in
def rename(request: SignedInRequest, pk: int) -> HttpResponse:
    conversation = find_own(request, pk)
    form = TitleForm(request.POST)
    if not form.is_valid():
        error = str(form.errors["title"][0])
        return chat_page(request, conversation, composer_for(conversation, error=error), status=422)
    conversation.rename(form.cleaned_data["title"])
    tell_of(conversation, Kind.RENAMED)
    return redirect("conversation", pk)


@require_POST
@signed_in
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    conversation = find_own(request, pk)
    for generation_id in conversation.soft_delete():
        supervisor.notify(generation_id)
    tell_of(conversation, Kind.DELETED)
    return redirect(f"{reverse('home')}?deleted={pk}")


@require_POST
@signed_in
def restore(request: SignedInRequest, pk: int) -> HttpResponse:
    conversation = get_object_or_404(request.user.conversations.trashed(), pk=pk)
    conversation.restore()
    tell_of(conversation, Kind.RESTORED)
    return redirect("conversation", pk)

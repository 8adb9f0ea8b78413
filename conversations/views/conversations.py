"""Conversations: begin, show, rename, delete and restore one. Somebody else's is not found."""

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from conversations.forms import TitleForm, TurnForm
from conversations.forms.wishes import PlaceForm, SettingsForm
from conversations.generation.changes import Kind, tell_of
from conversations.generation.supervisor import supervisor
from conversations.models import Conversation, LanguageModel, TurnRefused, start_conversation, temporary
from conversations.models.passages import Passage, last_passage, passage_around, passage_before
from conversations.models.trash import erasable, erase
from conversations.models.turns import Wishes

from .acts import notice_in_address
from .chat import chat_page, composer_for, find_kept, find_own, turns_of
from .messages import not_begun, refuse_turn, run, turn_created
from .pages import page
from .programs import with_token
from .requests import NUMBERS, SignedInRequest, form_data, is_htmx, is_program, number_in, refusal, signed_in
from .turns import deleted_turn


@require_GET
@signed_in
def home(request: SignedInRequest) -> HttpResponse:
    return chat_page(request, None, composer_for(request, None), notice=notice_in_address(request))


@with_token(get=None)
@require_http_methods(["GET", "POST"])
@signed_in
def start(request: SignedInRequest) -> HttpResponseBase:
    """Begin a conversation. Who comes back to this address by GET, as after a log-in, is sent to where that is done."""
    if request.method == "GET":
        return redirect("home")
    form = TurnForm(form_data(request), person=request.user.pk, fallback=lambda: LanguageModel.objects.default(request.user.pk))
    settings = SettingsForm.of(form_data(request, *NUMBERS))
    if not (form.is_valid() and (settings is None or settings.is_valid())):
        return refuse_turn(request, None, form, settings)
    place = PlaceForm(form_data(request), owner=request.user).place()
    wishes: Wishes = {**(settings.wishes if settings else {}), **place}
    fields = form.cleaned_data
    try:
        turn = start_conversation(request.user, fields["prompt"], fields["model"], fields["request_key"], **wishes)
    except TurnRefused as error:
        return not_begun(request, None, error, form, settings)
    run(turn)
    if is_program(request):
        return turn_created(turn)
    return redirect("conversation", turn.conversation.pk)


@require_GET
@signed_in
def show(request: SignedInRequest, pk: int) -> HttpResponse:
    """The end of a conversation; with `?message=` what is around that message, with `?before=` what comes before it."""
    conversation = find_own(request, pk)
    passage = passage_asked(request, conversation)
    if is_htmx(request):
        context = {"conversation": conversation, "passage": passage, "turns": turns_of(passage)}
        response = render(request, "_passage.html", context)
    else:
        is_about_turn = "deleted" in request.GET
        notice = deleted_turn(request, conversation) if is_about_turn else notice_in_address(request)
        response = chat_page(request, conversation, composer_for(request, conversation), passage=passage, notice=notice)
    patch_vary_headers(response, ["HX-Request"])
    return response


def passage_asked(request: SignedInRequest, conversation: Conversation) -> Passage:
    """The passage that the address names; 404 where the conversation has no such message."""
    if message := number_in(request, "message"):
        passage = passage_around(conversation, message)
    elif before := number_in(request, "before"):
        passage = passage_before(conversation, before)
    else:
        return last_passage(conversation)
    if passage is None or not passage.messages:
        raise Http404
    return passage


@with_token(get=None)
@require_POST
@signed_in
def rename(request: SignedInRequest, pk: int) -> HttpResponse:
    conversation = find_own(request, pk)
    form = TitleForm(form_data(request))
    if not form.is_valid():
        return refuse_name(request, conversation, form.sentence)
    conversation.rename(form.cleaned_data["title"])
    tell_of(conversation, Kind.RENAMED)
    if is_program(request):
        return HttpResponse(status=204)
    return render(request, "_done.html") if is_htmx(request) else redirect("conversation", pk)


def refuse_name(request: SignedInRequest, conversation: Conversation, sentence: str) -> HttpResponse:
    if is_htmx(request) or is_program(request):
        return refusal(request, sentence, 422, "invalid", beside="rename-error")
    return page(request, "options.html", 422, open=conversation.pk, conversation=conversation, error=sentence)


@require_GET
@signed_in
def options(request: SignedInRequest, pk: int) -> HttpResponse:
    """What can be done to a conversation, as its menu or as a page."""
    conversation = find_kept(request, pk)
    if is_htmx(request):
        response = render(request, "_options.html", {"conversation": conversation, "open": number_in(request, "open")})
    else:
        response = page(request, "options.html", open=pk, conversation=conversation)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
@signed_in
def presence(request: SignedInRequest, pk: int) -> HttpResponse:
    """A page that shows a temporary conversation is open or, with `left`, was left: then it closes soon."""
    conversation = find_own(request, pk)
    if "left" not in request.POST:
        temporary.stay(conversation)
    else:
        temporary.leave(conversation)
        tell_of(conversation, Kind.MOVED)  # another page that shows it says that it is open
    return HttpResponse(status=204)


@with_token(get=None)
@require_POST
@signed_in
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    conversation = find_own(request, pk)
    for generation_id in conversation.soft_delete():
        supervisor.notify(generation_id)
    tell_of(conversation, Kind.DELETED)
    if conversation.is_temporary:
        erase(erasable(temporary.closed().filter(pk=pk)))
    if is_program(request):
        return HttpResponse(status=204)
    return redirect("home" if conversation.is_temporary else f"{reverse('home')}?deleted={pk}")


@with_token(get=None)
@require_POST
@signed_in
def restore(request: SignedInRequest, pk: int) -> HttpResponse:
    conversation = get_object_or_404(request.user.conversations.trashed(), pk=pk)
    conversation.restore()
    tell_of(conversation, Kind.RESTORED)
    if is_program(request):
        return HttpResponse(status=204)
    return redirect("conversation", pk)

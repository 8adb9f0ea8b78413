"""The settings of a conversation: shown, and changed for what comes next in it."""

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from conversations.forms.wishes import SettingsForm
from conversations.models import Conversation
from conversations.models.settings import set_up, with_instructions

from .chat import find_own
from .pages import page
from .panel import Panel, panel_of
from .programs import with_token
from .requests import NUMBERS, SignedInRequest, form_data, is_htmx, is_program, refusal, signed_in


@with_token()
@require_http_methods(["GET", "POST"])
@signed_in
def of_conversation(request: SignedInRequest, pk: int) -> HttpResponse:
    conversation = find_own(request, pk)
    return change(request, conversation) if request.method == "POST" else show(request, conversation)


def show(request: SignedInRequest, conversation: Conversation) -> HttpResponse:
    if is_program(request):
        return as_json(conversation)
    panel = panel_of(conversation)
    return render(request, "_panel.html", {"panel": panel}) if is_htmx(request) else page_of(request, panel)


def change(request: SignedInRequest, conversation: Conversation) -> HttpResponse:
    form = SettingsForm(form_data(request, *NUMBERS))
    if not form.is_valid():
        return refuse(request, conversation, form)
    text, chosen = form.cleaned_data["system_prompt"] or "", form.cleaned_data["library"].isdecimal()
    if not set_up(conversation, with_instructions(text, request.user.pk) if chosen else text, form.parameters):
        raise Http404
    if is_program(request):
        return as_json(conversation)
    if is_htmx(request):
        return render(request, "_panel_changed.html", {"panel": panel_of(conversation, is_saved=True)})
    return redirect("conversation", conversation.pk)


def refuse(request: SignedInRequest, conversation: Conversation, form: SettingsForm) -> HttpResponse:
    if is_program(request):
        return refusal(request, form.sentence, 422, "invalid")
    panel = panel_of(conversation, form)
    return render(request, "_panel_changed.html", {"panel": panel}, status=422) if is_htmx(request) else page_of(request, panel, 422)


def page_of(request: SignedInRequest, panel: Panel, status: int = 200) -> HttpResponse:
    assert panel.conversation
    return page(request, "conversation_settings.html", status, open=panel.conversation.pk, panel=panel)


def as_json(conversation: Conversation) -> JsonResponse:
    return JsonResponse({"system_prompt": conversation.system_prompt, "parameters": conversation.parameters})

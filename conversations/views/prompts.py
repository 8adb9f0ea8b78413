"""Saved prompts: kept on a page of their own, and put into the composer, by a page or by `/` in the composer itself."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from conversations.forms.prompts import SavedPromptForm, VariablesForm
from conversations.models import SavedPrompt

from . import pages
from .chat import chat_page, composer_for, find_own
from .notices import Notice
from .requests import SignedInRequest, is_htmx, number_in, signed_in

MOST_PROMPTS = 200  # of one person
TOO_MANY = f"You have {MOST_PROMPTS} saved prompts, and there is no room for more. Delete one first."


@require_http_methods(["GET", "POST"])
@signed_in
def index(request: SignedInRequest) -> HttpResponse:
    """The person's prompts and those for everybody; a POST saves a new one."""
    if request.method == "GET":
        return page(request, SavedPromptForm())
    mine = request.user.saved_prompts
    form = SavedPromptForm(request.POST, taken=set(mine.values_list("command", flat=True)))
    if mine.count() >= MOST_PROMPTS:
        form.add_error(None, TOO_MANY)
    return saved(request, form, SavedPrompt(owner=request.user)) or page(request, form, 422)


@require_http_methods(["GET", "POST"])
@signed_in
def change(request: SignedInRequest, pk: int) -> HttpResponse:
    prompt = find_prompt(request, pk)
    if request.method == "GET":
        form = SavedPromptForm(initial={"command": prompt.command, "text": prompt.text})
    else:
        others = request.user.saved_prompts.exclude(pk=pk).values_list("command", flat=True)
        form = SavedPromptForm(request.POST, taken=set(others))
        if response := saved(request, form, prompt):
            return response
    return pages.page(request, "saved_prompt.html", 422 if form.errors else 200, form=form, prompt=prompt)


@require_POST
@signed_in
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete a prompt; the page that answers holds it once more, so that it can be had back."""
    prompt = find_prompt(request, pk)
    prompt.delete()
    return page(request, SavedPromptForm(), notice=Notice.of_prompt(prompt))


@require_http_methods(["GET", "POST"])
@signed_in
def use(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask for the variables of a prompt; a POST puts it into the composer, and sends nothing."""
    offered = Q(owner=request.user) | Q(owner=None)
    prompt = get_object_or_404(SavedPrompt, offered, pk=pk)
    form = VariablesForm(prompt, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        template = "_use_prompt.html" if is_htmx(request) else "use_prompt.html"
        context = {"form": form, "prompt": prompt, "conversation": number_in(request, "conversation")}
        return render(request, template, context, status=422 if form.is_bound else 200)
    if is_htmx(request):
        return HttpResponse(form.text, content_type="text/plain; charset=utf-8")
    key = number_in(request, "conversation")
    conversation = find_own(request, key) if key else None
    return chat_page(request, conversation, composer_for(request, conversation, form.text))


@require_GET
@signed_in
def menu(request: SignedInRequest) -> HttpResponse:
    """What `/` in the composer offers."""
    commands = {prompt.command: prompt for prompt in reversed(SavedPrompt.objects.offered_to(request.user).listed())}
    return render(request, "_commands.html", {"prompts": [*reversed(commands.values())]})


def find_prompt(request: SignedInRequest, pk: int) -> SavedPrompt:
    """A prompt of the person's own; else 404."""
    return get_object_or_404(request.user.saved_prompts, pk=pk)


def saved(request: SignedInRequest, form: SavedPromptForm, prompt: SavedPrompt) -> HttpResponse | None:
    """Save what the form holds and lead back to the list; None where it cannot be saved."""
    if not form.is_valid():
        return None
    prompt.command, prompt.text = form.cleaned_data["command"], form.cleaned_data["text"]
    try:
        with transaction.atomic():
            prompt.save()
    except IntegrityError:  # saved in another tab at the same moment
        form.add_error("command", f"You have a prompt under /{prompt.command} already. Choose another command.")
        return None
    return redirect("prompts")


def page(request: SignedInRequest, form: SavedPromptForm, status: int = 200, notice: Notice | None = None) -> HttpResponse:
    prompts = list(SavedPrompt.objects.offered_to(request.user).listed())
    context: dict[str, Any] = {
        "form": form,
        "own": [prompt for prompt in prompts if prompt.owner_id],
        "shared": [prompt for prompt in prompts if not prompt.owner_id],
        "notice": notice,
        "conversation": number_in(request, "conversation"),
    }
    return pages.page(request, "prompts.html", status, **context)

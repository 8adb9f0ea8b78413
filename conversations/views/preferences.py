"""What a person has set for the whole site: the theme, instructions for every conversation, and the way to what else is theirs."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from conversations.forms.wishes import InstructionsForm
from conversations.models import Preferences
from conversations.models.settings import instructions_of

from . import pages
from .requests import SignedInRequest, signed_in


@require_http_methods(["GET", "POST"])
@signed_in
def settings(request: SignedInRequest) -> HttpResponse:
    """The settings of the person; a POST keeps the instructions."""
    if request.method == "GET":
        return page(request, InstructionsForm(initial={"instructions": instructions_of.first(request.user.pk) or ""}))
    form = InstructionsForm(request.POST)
    if not form.is_valid():
        return page(request, form, 422)
    Preferences.objects.update_or_create(person=request.user, defaults=form.cleaned_data)
    messages.success(request, "Saved. Conversations that begin from now on follow your instructions.")
    return redirect("settings")


def page(request: SignedInRequest, form: InstructionsForm, status: int = 200) -> HttpResponse:
    prompts = request.user.saved_prompts.count()
    return pages.page(request, "settings.html", status, form=form, prompts=prompts)

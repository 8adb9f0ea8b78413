"""Calls of tools that wait for a person: approved or declined once, from any page of theirs, while the answer waits."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from conversations.generation.journal import entries
from conversations.generation.supervisor import supervisor
from conversations.models import Message, decide
from conversations.tool_events import open_calls

from .messages import find_answer, refuse
from .requests import SignedInRequest, is_htmx, is_program, signed_in

TOO_LATE = "This call does not wait for you any more: it was approved or declined already, or its answer has ended."


@require_POST
@signed_in
def approve(request: SignedInRequest, pk: int, call: int) -> HttpResponse:
    return say(request, find_answer(request, pk), call, is_approved=True)


@require_POST
@signed_in
def decline(request: SignedInRequest, pk: int, call: int) -> HttpResponse:
    return say(request, find_answer(request, pk), call, is_approved=False)


def say(request: SignedInRequest, answer: Message, call: int, *, is_approved: bool) -> HttpResponse:
    """Keep what the person says, and let whoever runs the answer know."""
    generation = answer.generation
    waiting = {start.call for start in open_calls(entries(generation.pk)) if start.waits} if generation.is_live else set()
    if call not in waiting or not decide(generation, call, is_approved=is_approved):
        return refuse(request, answer.conversation, TOO_LATE, 409, "too_late")
    supervisor.notify(generation.pk)
    if is_htmx(request) or is_program(request):
        return HttpResponse(status=204)
    return redirect("conversation", answer.conversation_id)

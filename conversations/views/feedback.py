"""What a person thinks of an answer: a rating by a press of a button, taken back by another, and a comment by a form."""

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from conversations.forms.answers import FeedbackForm
from conversations.models import Feedback, Message, Role, rate
from conversations.rendering.answers import Answer

from .addresses import address_of
from .messages import find_message
from .pages import page
from .programs import with_token
from .requests import SignedInRequest, form_data, is_htmx, is_program, refusal, signed_in

LIVE = "This answer is still being written. Wait until it has ended."


@with_token(get=None)
@require_http_methods(["GET", "POST"])
@signed_in
def of_answer(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask for the form in which a comment is written; or rate an answer."""
    answer = find_message(request, pk, Role.ASSISTANT)
    if request.method == "GET":
        return form_for(request, answer)
    if answer.is_live:
        return refuse(request, answer, LIVE, 409, "busy")
    form = FeedbackForm(form_data(request))
    if not form.is_valid():
        return refuse(request, answer, form.sentence, 422, "invalid", form)
    feedback = rate(answer, form.cleaned_data["rating"], form.comment_told)
    if is_program(request):
        return JsonResponse({"rating": feedback.rating if feedback else 0, "comment": feedback.comment if feedback else ""})
    if is_htmx(request):
        shown = Answer(answer)
        shown.rating = feedback.rating if feedback else 0
        return render(request, "_feedback_given.html", {"answer": shown})
    return redirect(address_of(answer))


def form_for(request: SignedInRequest, answer: Message, status: int = 200, **more: Any) -> HttpResponse:
    """The form as a page, or for htmx as a part of one."""
    context: dict[str, Any] = {"answer": answer, "feedback": Feedback.objects.filter(message=answer).first(), "address": address_of(answer)}
    if is_htmx(request):
        return render(request, "_feedback_form.html", context | more)
    return page(request, "feedback.html", status, conversation=answer.conversation, **context | more)


def refuse(
    request: SignedInRequest, answer: Message, sentence: str, status: int, code: str, form: FeedbackForm | None = None
) -> HttpResponse:
    """Say in the form what is wrong; what was written stays there."""
    if is_htmx(request) or is_program(request):
        return refusal(request, sentence, status, code, beside=f"message-{answer.pk}-comment-error" if form else "composer-error")
    written = {"feedback": form.data} if form else {}
    return form_for(request, answer, status, error=sentence, **written)

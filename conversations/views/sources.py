"""The text of an answer as it stands: its Markdown, or the same without marks."""

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from conversations.events import EventKind, joined
from conversations.generation.journal import entries
from conversations.models import Message, Role
from conversations.rendering.plain import plain_text

from .messages import find_message
from .programs import with_token
from .requests import SignedInRequest, signed_in

PLAIN = "text/plain; charset=utf-8"


@with_token()
@require_GET
@signed_in
def markdown(request: SignedInRequest, pk: int) -> HttpResponse:
    return HttpResponse(text_of(find_message(request, pk, Role.ASSISTANT)), content_type=PLAIN)


@with_token()
@require_GET
@signed_in
def text(request: SignedInRequest, pk: int) -> HttpResponse:
    return HttpResponse(plain_text(text_of(find_message(request, pk, Role.ASSISTANT))), content_type=PLAIN)


def text_of(answer: Message) -> str:
    if not answer.is_live:
        return answer.text
    written = joined(entries(answer.generation.pk), EventKind.TEXT_DELTA)
    if not written:
        answer.refresh_from_db(fields=["text"])  # it may have ended just now
    return written or answer.text

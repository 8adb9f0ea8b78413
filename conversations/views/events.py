"""The stream of an answer: a GET that only observes, for browsers as fragments and for programs as JSON."""

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from chatsite import threads
from chatsite.sessions import is_living
from conversations.events import Place
from conversations.eventstream import sse
from conversations.eventstream.follow import Permission
from conversations.eventstream.pages import page_stream
from conversations.eventstream.programs import program_stream
from conversations.models import Message, tokens
from conversations.models.messages import answer_to_follow

from .programs import token_of, with_token
from .requests import SIGNED_OUT, is_program


def find(request: HttpRequest, pk: int) -> Message | None:
    """The answer if it is the person's own, None if nobody is signed in; else 404."""
    if not request.user.is_authenticated:
        return None
    if (answer := answer_to_follow.first(pk, request.user.pk)) is None:
        raise Http404
    return answer


@with_token()
@require_GET
async def answer_events(request: HttpRequest, pk: int) -> HttpResponseBase:
    message = await sync_to_async(find)(request, pk)
    if message is None:
        return JsonResponse({"error": {"code": "signed_out", "message": SIGNED_OUT}}, status=401)
    place = Place.parse(request.headers.get("Last-Event-ID") or request.GET.get("after", ""))
    stream = program_stream if is_program(request) else page_stream
    return StreamingHttpResponse(stream(message, place, still_signed_in(request)), headers=sse.HEADERS)


def still_signed_in(request: HttpRequest) -> Permission:
    """Return what says whether the session, or the token, that opened a stream is still there: its end is theirs, too."""
    if token := token_of(request):
        return threads.in_thread(threads.web, lambda: tokens.is_living(token.pk))
    key = request.session.session_key or ""
    return threads.in_thread(threads.web, lambda: is_living(key))

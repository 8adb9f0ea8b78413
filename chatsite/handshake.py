"""The handshake of a WebSocket, judged by the rules of the site's forms: its hosts, its origins, its sessions and tokens.

It runs in a thread and ends there: an open socket holds no connection to the database.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.core.exceptions import DisallowedHost, TooManyFieldsSent
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse, QueryDict
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.datastructures import MultiValueDict

from chatsite import bearer, sessions
from chatsite.sessions import SessionStore
from conversations.models import Scope, tokens

SCHEMES = {"ws": "http", "wss": "https"}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who has come: the key of a person, None for nobody, and what the address asked for."""

    person: int | None
    may_stay: Callable[[], bool]  # says later whether the session, or the token, is still there
    query: QueryDict | MultiValueDict[str, str]


def visitor_of(scope: dict[str, Any]) -> Visitor | None:
    """Return who opens a socket; None for a handshake that does not come from a page of the site, or from a program."""
    request = ASGIRequest({**scope, "type": "http", "method": "GET", "scheme": SCHEMES[scope.get("scheme", "ws")]}, BytesIO())
    if not comes_from_here(request):
        return None
    person, may_stay = by_token(request) or by_session(request)
    return Visitor(person, may_stay, query_of(request))


def by_token(request: ASGIRequest) -> tuple[int | None, Callable[[], bool]] | None:
    """Return whose token the program has, and what says whether it still lives; None where it names none."""
    authorization = request.headers.get("Authorization", "")
    if bearer.secret_in(authorization) is None:
        return None
    token = bearer.token_in(authorization)
    if token is None or not token.allows(Scope.READ):
        return None, lambda: False
    return token.owner_id, partial(tokens.is_living, token.pk)


def by_session(request: ASGIRequest) -> tuple[int | None, Callable[[], bool]]:
    """Return who is logged in, and what says whether the session is still there."""
    session = SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    request.session = session
    user = get_user(request)
    return user.pk if isinstance(user, User) else None, partial(sessions.is_living, session.session_key or "")


def comes_from_here(request: ASGIRequest) -> bool:
    """A browser names the page's origin, which must be one that may send forms; a program names none."""
    try:
        request.get_host()
    except DisallowedHost:
        return False
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        return False
    rule: Any = CsrfViewMiddleware(lambda request: HttpResponse())
    return "HTTP_ORIGIN" not in request.META or bool(rule._origin_verified(request))


def query_of(request: ASGIRequest) -> QueryDict | MultiValueDict[str, str]:
    try:
        return request.GET
    except TooManyFieldsSent:
        return MultiValueDict()

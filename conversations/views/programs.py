"""Programs that come with a token: who they are, and which addresses are open to them, for what scope.

A token is all such a request has: its cookies count for nothing, it needs no CSRF token, and it makes no session.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from chatsite.bearer import secret_in
from chatsite.sessions import SessionStore
from conversations.models.tokens import ApiToken, Scope, living_token

from .requests import refusal

NOT_VALID = "This token is not valid: it is wrong, has expired or was revoked. Make another one on the page “API tokens”."
NAME_ONE = "This address is for programs: name a token as “Authorization: Bearer …”. You make one on the page “API tokens”."
NOT_OPEN = "This address is not open to tokens: it is for people who are logged in."
NOT_ALLOWED = "This token may not do that: it has not the scope “{}”."


def with_token[V: Callable[..., Any]](get: Scope | None = Scope.READ, post: Scope | None = Scope.WRITE) -> Callable[[V], V]:
    """Open a view to tokens, by method; None: not by that one."""

    def opened(view: V) -> V:
        view.token_scopes = {"GET": get, "POST": post}  # type: ignore[attr-defined]
        return view

    return opened


def token_of(request: HttpRequest) -> ApiToken | None:
    """The token that the request came with."""
    return getattr(request, "token", None)


class TokenMiddleware:
    """Lets a request with a living token go on as its owner, where that is open to it; any other token is refused."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        secret = secret_in(request.headers.get("Authorization", ""))
        if secret is None:
            return self.get_response(request)
        request.COOKIES = {}
        request.session = SessionStore()
        token = living_token(secret)
        if token is None:
            return unauthorised(request, NOT_VALID, 'error="invalid_token"')
        token.note_use()
        request.user, request.token = token.owner, token  # type: ignore[attr-defined]
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]  # Django's own name for it
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        token = token_of(request)
        if token is None:
            return None
        scopes = getattr(view, "token_scopes", {})
        scope = scopes.get(request.method, Scope.WRITE) if scopes else None  # another method is refused by the view
        if scope is None:
            return refusal(request, NOT_OPEN, 403, "not_open")
        return None if token.allows(scope) else insufficient(request, scope)


def only_with_token(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let nobody pass who comes without one, whoever is logged in."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs) if token_of(request) else unauthorised(request, NAME_ONE)

    return guarded


def unauthorised(request: HttpRequest, sentence: str, more: str = "") -> HttpResponse:
    told = refusal(request, sentence, 401, "invalid_token" if more else "no_token")
    told.headers["WWW-Authenticate"] = ", ".join(filter(None, ('Bearer realm="chat"', more)))
    return told


def insufficient(request: HttpRequest, scope: Scope) -> HttpResponse:
    told = refusal(request, NOT_ALLOWED.format(scope), 403, "insufficient_scope")
    told.headers["WWW-Authenticate"] = f'Bearer realm="chat", error="insufficient_scope", scope="{scope}"'
    return told

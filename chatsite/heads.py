"""HEAD is GET without a body, for every address: monitors and previews ask so."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase


class HeadMiddleware:
    """Lets views answer HEAD as GET. The server leaves the body out; a stream is closed before it begins."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method != "HEAD":
            return self.get_response(request)
        request.method = "GET"
        response = self.get_response(request)
        request.method = "HEAD"
        return without_body(response) if response.streaming else response


def without_body(response: HttpResponseBase) -> HttpResponse:
    answer: Any = HttpResponse(status=response.status_code)
    answer.headers, answer.cookies = response.headers, response.cookies
    answer._resource_closers = response._resource_closers  # type: ignore[attr-defined]  # what was opened for the stream is closed with the answer
    return answer  # type: ignore[no-any-return]

"""The bridge from ASGI to Django: a request runs in one thread from first to last middleware, a stream on the event loop.

Django's own ASGI handler hops to a thread and back for each middleware, and keeps that thread, with its database
connection, for as long as the response streams. Here the thread and the connection are given back before the first
byte of a stream is sent, so open streams cost neither (docs/decisions/0003). A response that has to be waited for, because a model is
asked first, is made on the event loop as well: `LaterResponse`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any

from asgiref.sync import sync_to_async
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, ASGIRequest, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.db import close_old_connections
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from chatsite import bodies, threads

log = logging.getLogger(__name__)


class LaterResponse(HttpResponseBase):
    """A response that `make` makes on the event loop, while no thread waits for it. What middleware sets on this one it has, too.

    `close` is called in the end, however it went: also where the client left before anything was made.
    """

    streaming = is_async = True

    def __init__(self, make: Callable[[], Awaitable[HttpResponseBase]], close: Callable[[], None]) -> None:
        super().__init__()
        del self.headers["Content-Type"]
        self._make = make
        self._resource_closers.append(close)  # type: ignore[attr-defined]

    async def made(self) -> HttpResponseBase:
        response = await self._make()
        for name, value in self.items():
            response.headers.setdefault(name, value)
        return response


class SiteHandler(ASGIHandler):
    def __init__(self) -> None:
        BaseHandler.__init__(self)
        bodies.leave_to_django()
        self.load_middleware(is_async=False)
        self.respond_in_thread = sync_to_async(self.respond, thread_sensitive=False, executor=threads.web)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = scope.get("extensions", {}).get(bodies.BODY)
        if body is None:  # another server
            try:
                body = await bodies.read(scope, receive, self.read_body)
            except RequestAborted:
                return
        with closing(body):
            request, refusal = self.create_request(scope, body)
            if request is None:
                assert refusal is not None
                await self.send_response(refusal, send)
                return
            response = await self.respond_in_thread(request, get_script_prefix(scope))
            if response.streaming:
                await self.stream(response, receive, send)
            else:
                await self.send_response(response, send)

    def respond(self, request: ASGIRequest, script_prefix: str) -> HttpResponseBase:
        """Run the middleware and the view; return a response that needs this thread no more."""
        set_script_prefix(script_prefix)
        signals.request_started.send(sender=self.__class__, scope=request.scope)
        response = self.get_response(request)
        if isinstance(response, StreamingHttpResponse) and not response.is_async:
            response = whole(response)
        if not response.streaming:
            response.close()
        close_old_connections()
        return response

    async def stream(self, response: HttpResponseBase, receive: Any, send: Any) -> None:
        """Send the stream until it ends or the client goes away."""
        sending = asyncio.ensure_future(self.send_made(response, send))
        leaving = asyncio.ensure_future(self.wait_for_disconnect(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            sending.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            response.close()
        if not sending.cancelled() and (error := sending.exception()):
            log.error("A stream broke off.", exc_info=error)
            await send({"type": "http.response.body"})  # the server knows no other end for what has begun

    async def send_made(self, response: HttpResponseBase, send: Any) -> None:
        await self.send_response(await response.made() if isinstance(response, LaterResponse) else response, send)

    async def wait_for_disconnect(self, receive: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


def whole(response: StreamingHttpResponse) -> HttpResponse:
    """Read a file that a synchronous middleware opened, so that it can be sent without a thread."""
    with closing(response):
        answer = HttpResponse(b"".join(response), status=response.status_code)
    answer.headers, answer.cookies = response.headers, response.cookies
    return answer

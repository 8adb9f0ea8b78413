"""Bodies of requests: as large as their address allows, small from who is not logged in, on disk from 100 KB on, and read once, by Django.

Twisted would read each form first, for a dictionary that nobody here asks, and answer a bad one with 400 and an empty body. Daphne would
put a whole upload into memory, in pieces, before anybody reads it. What is too large is not kept, not for a moment where its length is told
before; it is read to its end, because a browser shows no answer before that, and refused in words.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from daphne import http_protocol
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import parse_cookie

from chatsite import bearer, sessions, threads

BODY = "chatsite.body"  # an extension of the scope of ASGI
type Receive = Callable[[], Awaitable[dict[str, Any]]]
UNKNOWN_BYTES = 256 * 1024  # of who is not logged in: a log-in is a line, and a long prompt that outlived its session is given back

is_somebodys_in_thread = threads.in_thread(threads.web, sessions.is_somebodys)
is_token_in_thread = threads.in_thread(threads.web, bearer.is_somebodys)


def most_bytes(path: str) -> int:
    return int(settings.BODY_LIMITS.get(path, settings.DATA_UPLOAD_MAX_MEMORY_SIZE))


async def is_known(cookies: str, authorization: str) -> bool:
    """Say whether somebody who is logged in, or a program with a token, asks. The database is not asked for who brings neither."""
    if bearer.secret_in(authorization) is not None:  # its cookies count for nothing
        return await is_token_in_thread(authorization)
    key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME)
    return await is_somebodys_in_thread(key) if key else False


class UnreadRequest(http_protocol.WebRequest):  # type: ignore[misc]
    content: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, parsePOSTFormSubmission=False, **kwargs)
        self._size, self._limit, self._is_whole = 0, 0, False
        self._judging: asyncio.Future[None] | None = None

    def gotLength(self, length: int | None) -> None:
        super().gotLength(length)
        self._limit = most_bytes(self.channel._path.partition(b"?")[0].decode("ascii", "replace"))
        if length and length > self._limit:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._limit:
            self._refuse()
        if isinstance(self.content, TooLarge):
            return
        super().handleContentChunk(data)
        if self._size > UNKNOWN_BYTES and self._judging is None:
            self.channel._networkProducer.pauseProducing()
            self._judging = asyncio.ensure_future(self._judge())

    async def _judge(self) -> None:
        """Keep no more of a large body before it is known that somebody who is logged in, or a token, sends it."""
        cookies, authorization = (
            b"; ".join(self.requestHeaders.getRawHeaders(name, ())).decode("latin-1") for name in (b"cookie", b"authorization")
        )
        is_welcome = await is_known(cookies, authorization)
        if self._is_whole or self.channel is None:
            return  # Twisted reads on by itself once it is answered
        if not is_welcome:
            self._refuse()
        self.channel._networkProducer.resumeProducing()

    def _refuse(self) -> None:
        if not isinstance(self.content, TooLarge):
            self.content.close()
            self.content = TooLarge()

    def hand_over_body(self) -> Any:
        """Return what holds the body, and leave nothing for Daphne to read."""
        self._is_whole = True
        body, self.content = self.content, io.BytesIO()
        return body


class TooLarge(io.RawIOBase):
    """The body of a request that was too large to be kept: whoever reads it learns that."""

    def seek(self, *args: Any) -> int:
        return 0

    def read(self, *args: Any) -> NoReturn:
        raise RequestDataTooBig("The body is larger than this address allows.")


async def read(scope: dict[str, Any], receive: Receive, read_whole: Callable[[Receive], Awaitable[Any]]) -> Any:
    """Return what holds the body of a request under another server, read with `read_whole` as far as it is kept."""
    size, limit, is_judged = 0, most_bytes(scope["path"]), False

    async def receive_what_is_kept() -> dict[str, Any]:
        nonlocal size, limit, is_judged
        message = await receive()
        size += len(message.get("body", b""))
        if size > UNKNOWN_BYTES and not is_judged:
            cookies, authorization = (
                b"; ".join(value for found, value in scope["headers"] if found == name).decode("latin-1")
                for name in (b"cookie", b"authorization")
            )
            is_judged, limit = True, limit if await is_known(cookies, authorization) else UNKNOWN_BYTES
        return {**message, "body": b""} if size > limit else message

    body = await read_whole(receive_what_is_kept)
    if size <= limit:
        return body
    body.close()
    return TooLarge()


def with_body(protocol: Any, scope: dict[str, Any]) -> dict[str, Any]:
    """Return the scope of a request with what holds its body."""
    if isinstance(protocol, UnreadRequest):
        scope["extensions"] = {BODY: protocol.hand_over_body()}
    return scope


def leave_to_django() -> None:
    """Let Daphne make its requests so; it looks the class up for each connection."""
    http_protocol.WebRequest = UnreadRequest

"""What every WebSocket of the site keeps to: it tells and does not listen, holds no thread while it is open, and ends with a code.

A page or a program that loses it loses nothing: all it tells can be had over HTTP, too.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from enum import IntEnum
from functools import wraps
from typing import Any

import msgspec
from django.db import Error

from chatsite import threads
from chatsite.handshake import Visitor, visitor_of

type Scope = dict[str, Any]
type Receive = Callable[[], Awaitable[dict[str, Any]]]
type Send = Callable[[dict[str, Any]], Awaitable[None]]
type Frames = AsyncGenerator[str]

visitor_in_thread = threads.in_thread(threads.web, visitor_of)


class Code(IntEnum):
    """Why a socket ended (RFC 6455, 7.4); 4000 and above are ours, and end in the HTTP status they stand for."""

    DONE = 1000
    SPOKEN_TO = 1008  # the client sent something
    RESTART = 1012  # come again soon
    SIGNED_OUT = 4401
    NOT_FOUND = 4404  # also somebody else's


class Closed(Exception):
    """Raised in the frames of a socket: it is to end with `code`."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.name)
        self.code = code


class Caller:
    """The signed-in person at the other end."""

    def __init__(self, person: int, visitor: Visitor) -> None:
        self.person, self.query = person, visitor.query
        self._may_stay = threads.in_thread(threads.web, visitor.may_stay)

    async def may_go_on(self) -> bool:
        """Say that the session, or the token, is still there; raises Closed once it is not: an end of it counts for open sockets, too."""
        if not await self._may_stay():
            raise Closed(Code.SIGNED_OUT)
        return True


def socket(frames: Callable[..., Frames]) -> Any:  # Django's path() takes views only
    """Make an ASGI application of a generator of text frames. It is given the caller and what the route found in the path."""

    @wraps(frames)
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # the handshake
        try:
            visitor = await visitor_in_thread(scope)
        except Error:  # who it is cannot be said just now: to be tried again
            visitor = None
        if visitor is None:
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept"})
        code: Code | None = Code.SIGNED_OUT
        if visitor.person is not None:
            code = await converse(frames(Caller(visitor.person, visitor), **scope["url_route"]["kwargs"]), receive, send)
        if code is not None:
            await send({"type": "websocket.close", "code": int(code)})

    return application


async def converse(frames: Frames, receive: Receive, send: Send) -> Code | None:
    """Tell until there is no more to tell, or the other end leaves or speaks; return why. None: nobody is there any more."""
    telling, hearing = asyncio.ensure_future(tell(frames, send)), asyncio.ensure_future(hear(receive))
    try:
        await asyncio.wait({telling, hearing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        telling.cancel()
        hearing.cancel()
        await asyncio.gather(telling, hearing, return_exceptions=True)
    return hearing.result() if not hearing.cancelled() else telling.result()


async def tell(frames: Frames, send: Send) -> Code:
    """Send each frame when the one before has left: a slow reader holds up its own socket only."""
    try:
        async with aclosing(frames):
            async for text in frames:
                await send({"type": "websocket.send", "text": text})
    except Closed as closed:
        return closed.code
    except Error:
        return Code.RESTART
    return Code.DONE


async def hear(receive: Receive) -> Code | None:
    return None if (await receive())["type"] == "websocket.disconnect" else Code.SPOKEN_TO


def frame(event: str, data: dict[str, object] | None = None, id: str = "") -> str:
    """Return one event as a JSON object; what it has not is left out."""
    fields = {"event": event, "id": id, "data": data}
    return msgspec.json.encode({name: value for name, value in fields.items() if value}).decode()

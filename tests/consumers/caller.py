"""Callers of the WebSockets in this process: a browser's cookie, an origin, and the frames that come until the end."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import Client

from chatsite.asgi import router
from tests.conftest import browser_of
from tests.factories import make_user
from tests.live import PATIENCE

HOST = "testserver"
ORIGIN = f"http://{HOST}"


class Frame(NamedTuple):
    event: str
    data: Any = None
    id: str = ""


async def person(name: str) -> tuple[User, Client]:
    """Somebody of the cast, in a browser."""
    user = await sync_to_async(make_user)(name)
    return user, await sync_to_async(browser_of)(user)


def call(path: str, browser: Client | None = None, **headers: str) -> WebsocketCommunicator:
    """A handshake that is not begun yet; a header that is empty is left out."""
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items()) if browser else ""
    sent = {"host": HOST, "origin": ORIGIN, "cookie": cookies} | headers
    pairs = [(name.replace("_", "-").encode(), value.encode("latin1")) for name, value in sent.items() if value]
    return WebsocketCommunicator(router, path, pairs)


@asynccontextmanager
async def connected(path: str, browser: Client | None = None, **headers: str) -> AsyncIterator[WebsocketCommunicator]:
    caller = call(path, browser, **headers)
    is_connected, _ = await caller.connect(PATIENCE)
    assert is_connected
    try:
        yield caller
    finally:
        await caller.disconnect()


async def heard(caller: WebsocketCommunicator) -> Frame | int:
    """The next frame but pings, or the code of the end."""
    while True:
        output = await caller.receive_output(PATIENCE)
        if output["type"] == "websocket.close":
            return int(output["code"])
        frame = Frame(**json.loads(output["text"]))
        if frame.event != "ping":
            return frame


async def to_the_end(caller: WebsocketCommunicator) -> tuple[list[Frame], int]:
    frames: list[Frame] = []
    while isinstance(found := await heard(caller), Frame):
        frames.append(found)
    return frames, found


async def said(path: str, browser: Client | None = None, **headers: str) -> tuple[list[Frame], int]:
    """Everything that a socket says, and the code that it ends with."""
    async with asyncio.timeout(PATIENCE), connected(path, browser, **headers) as caller:
        return await to_the_end(caller)


async def is_refused(path: str, browser: Client | None = None, **headers: str) -> bool:
    """Whether the handshake is refused, before there is a socket."""
    is_connected, _ = await call(path, browser, **headers).connect(PATIENCE)
    return not is_connected


async def so(holds: Callable[[], object]) -> None:
    """Let the event loop turn until it is so; fails after PATIENCE."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.001)

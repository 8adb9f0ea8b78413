"""A site for tests of the server: `python -m tests.start.endless_site PORT`. `/sent` tells how much of `/endless` was taken."""

import asyncio
import os
import sys
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
django.setup()

from chatsite.listening import bound_socket
from chatsite.server import LAST_WORDS_SECONDS, SiteServer

PIECE = b"x" * 32_768
sent = {"bytes": 0, "open": 0}


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await talk(receive, send)
    elif scope["path"] == "/endless":
        await stream(receive, send)
    elif scope["path"] == "/last":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first,", "more_body": True})
        await farewell.wait()
        await asyncio.sleep(0.1)  # a last look-up, as a stream makes for the end of its answer
        await send({"type": "http.response.body", "body": b"last"})
    elif scope["path"] == "/slow":
        await farewell.wait()
        await asyncio.sleep(1.5 * LAST_WORDS_SECONDS)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"slow"})
    elif scope["path"] == "/brief":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one,", "more_body": True})
        await send({"type": "http.response.body", "body": b"two"})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": f"{sent['bytes']} {sent['open']}".encode()})


async def stream(receive: Any, send: Any) -> None:
    await receive()
    sending = asyncio.ensure_future(send_without_end(send, lambda: {"type": "http.response.body", "body": PIECE, "more_body": True}))
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        sending.cancel()
        sent["open"] -= 1


async def talk(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    sending = asyncio.ensure_future(send_without_end(send, lambda: {"type": "websocket.send", "bytes": PIECE}))
    try:
        while (await receive())["type"] != "websocket.disconnect":
            pass
    finally:
        sending.cancel()
        sent["open"] -= 1


async def send_without_end(send: Any, piece: Any) -> None:
    sent["open"] += 1
    if piece()["type"] == "http.response.body":
        await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send(piece())
        sent["bytes"] += len(PIECE)
        await asyncio.sleep(0)


async def say_goodbye() -> None:
    farewell.set()


if __name__ == "__main__":
    farewell = asyncio.Event()
    listening = bound_socket("127.0.0.1", int(sys.argv[1]))
    listening.listen()
    SiteServer(application, listening, when_up=lambda: print("up", flush=True), before_down=say_goodbye).run()
    print("down", flush=True)

"""The addresses of the WebSockets. Any other is refused without a word."""

from typing import Any, cast

from channels.routing import URLRouter
from django.urls import path, re_path

from .answers import answer_events
from .changes import changes_of_person


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.close"})


routes = URLRouter(
    [
        path("messages/<int:pk>/events", answer_events, name="answer_socket"),
        path("changes", changes_of_person, name="changes_socket"),
        re_path(r"", cast(Any, refuse), name="nowhere"),
    ]
)

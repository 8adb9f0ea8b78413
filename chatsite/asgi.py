"""The ASGI application. Whatever server runs it, the first call starts this process's supervisor of generations."""

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter

from chatsite.handler import SiteHandler
from conversations.consumers.urls import routes
from conversations.generation.supervisor import supervisor

router = ProtocolTypeRouter({"http": SiteHandler(), "websocket": routes})


async def application(scope: Any, receive: Any, send: Any) -> None:
    supervisor.start()
    await router(scope, receive, send)

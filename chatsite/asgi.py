"""The ASGI application. Whatever server runs it, the first call starts this process's supervisor of generations.

A process that must be alone and is not ends with a sentence before it serves anything, also under a server that is not ours.
"""

import os
import sys
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter

from chatsite import private
from chatsite.alone import NotAlone, keep_others_out
from chatsite.handler import SiteHandler
from conversations.consumers.urls import routes
from conversations.generation.supervisor import supervisor

private.keep_all()  # another server than ours may have begun here
try:
    keep_others_out()
except NotAlone as error:
    sys.exit(str(error))

router = ProtocolTypeRouter({"http": SiteHandler(), "websocket": routes})


async def application(scope: Any, receive: Any, send: Any) -> None:
    supervisor.start()
    await router(scope, receive, send)

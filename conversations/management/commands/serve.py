"""Serve the site with Daphne on HOST and PORT, and nothing else: the database is ready."""

import argparse
import asyncio
import logging
import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from chatsite import assets, layer, schema, threads
from chatsite.alone import NotAlone, keep_others_out
from chatsite.listening import BACKLOG, CannotListen, bound_socket, inherited_socket
from chatsite.server import SiteServer
from chatsite.web_processes import Workers, tell_parent
from conversations.providers.registry import import_adapters

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Serve the site on HOST and PORT until SIGINT or SIGTERM. Answers may finish for SHUTDOWN_GRACE_SECONDS."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--socket", type=int, help=argparse.SUPPRESS)  # how `Workers` starts each of its processes

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["socket"] is not None:
                schema.check()  # the code may be newer than that of the process that started this one
                assets.collect()
                serve_here(inherited_socket(options["socket"]), is_worker=True)
                return
            listening = bound_socket(settings.HOST, settings.PORT)
            schema.check()
            layer.check()
            keep_others_out()
            assets.collect_once()
            serve(listening)
        except (CannotListen, NotAlone) as error:
            sys.exit(str(error))


def serve(listening: socket.socket) -> None:
    """Serve on a bound socket until a signal ends it, here or in WEB_PROCESSES processes. Others are kept out already."""
    if settings.WEB_PROCESSES > 1:
        listening.listen(BACKLOG)
        asyncio.run(Workers(listening, settings.WEB_PROCESSES).run())
        return
    listening.listen(BACKLOG)
    serve_here(listening)


def serve_here(listening: socket.socket, *, is_worker: bool = False) -> None:
    """Serve in this process until a signal ends it."""
    from chatsite.asgi import application
    from conversations.generation.supervisor import supervisor
    from conversations.transfer.worker import starter

    def when_up() -> None:
        supervisor.start()
        starter.ask_if_left()
        if supervisor.claims:
            threads.generation.submit(import_adapters)  # beside the first requests: a first answer waits for it, the loop does not
        if is_worker:
            tell_parent(when_gone=server.begin_stop)

    async def before_down() -> None:
        if supervisor.runs:
            log.info("Stopping. Answers that are being written have %s seconds to finish.", settings.SHUTDOWN_GRACE_SECONDS)
        await supervisor.stop(settings.SHUTDOWN_GRACE_SECONDS)

    server = SiteServer(application, listening, when_up=when_up, before_down=before_down)
    server.run()

"""Serve the site with Daphne on HOST and PORT, and nothing else: the database is ready."""

import logging
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from chatsite import assets, schema
from chatsite.server import CannotListen, SiteServer, check_address

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Serve the site on HOST and PORT until SIGINT or SIGTERM. Answers may finish for SHUTDOWN_GRACE_SECONDS."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            check_address(settings.HOST, settings.PORT)
            schema.check()
            assets.collect_once()
            serve()
        except CannotListen as error:
            sys.exit(str(error))


def serve() -> None:
    """Serve until a signal ends it. Raises CannotListen."""
    from chatsite.asgi import application
    from conversations.generation.supervisor import supervisor

    async def stop() -> None:
        if supervisor.runs:
            log.info("Stopping. Answers that are being written have %s seconds to finish.", settings.SHUTDOWN_GRACE_SECONDS)
        await supervisor.stop(settings.SHUTDOWN_GRACE_SECONDS)

    SiteServer(
        application,
        settings.HOST,
        settings.PORT,
        when_up=supervisor.start,
        before_down=stop,
    ).run()

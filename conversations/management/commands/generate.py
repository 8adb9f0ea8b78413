"""Run answers and nothing else, beside web processes with GENERATE_IN=dedicated: a deploy of the web does not touch them."""

import asyncio
import logging
import signal
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from chatsite import layer, schema, threads
from chatsite.alone import NotAlone, keep_others_out
from conversations.generation.supervisor import supervisor
from conversations.providers.registry import import_adapters

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run queued answers until SIGINT or SIGTERM. May be started as often as there is work for."

    def handle(self, *args: Any, **options: Any) -> None:
        schema.check()
        layer.check()
        try:
            keep_others_out()
        except NotAlone as error:
            sys.exit(str(error))
        run(generate())


async def generate() -> None:
    """Claim and run generations until a signal ends it; answers may then finish for SHUTDOWN_GRACE_SECONDS."""
    loop, ending = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    supervisor.start(claims=True)
    threads.generation.submit(import_adapters)
    log.info("Running answers.")
    await ending.wait()
    await supervisor.stop(settings.SHUTDOWN_GRACE_SECONDS)


def run(work: Any) -> None:
    """Run on uvloop, where it is installed."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)

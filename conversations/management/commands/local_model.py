"""Serve the local model by itself, for sites whose web processes are started with `serve`."""

import sys
import threading
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand

from chatsite.local_model import CannotServe
from chatsite.model_process import ModelProcess


class Command(BaseCommand):
    help = "Serve the model of LOCAL_MODEL on loopback until Ctrl-C, and point the provider “This machine” at it."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            local = ModelProcess.from_environment()
        except CannotServe as error:
            sys.exit(str(error))
        if local is None:
            sys.exit("LOCAL_MODEL=off: there is nothing to serve.")
        local.start()
        try:
            local.introduce()
            self.stdout.write(f"{local.model.name} at {local.base_url}")
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
        finally:
            local.stop()

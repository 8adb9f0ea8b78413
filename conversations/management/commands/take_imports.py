"""Take in the files that people have uploaded to be imported, then end. The site starts it by itself."""

import gc
import os
from typing import Any

from django.core.management.base import BaseCommand

from conversations.transfer.worker import work


class Command(BaseCommand):
    help = "Import the files that wait in DATA_DIR/imports, unless another process does, and end."

    def handle(self, *args: Any, **options: Any) -> None:
        os.nice(10)  # answers come first
        gc.freeze()
        work()

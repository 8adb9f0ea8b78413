"""Imports run in a process of their own: a hostile file can take no memory and no time from the answers that are being written.

There is one such process for a data directory. It is started when a file comes in, or lies there when the site starts, takes in
whatever waits, and ends. What was under way when it died is begun again, and what is here already is passed over.
"""

import fcntl
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from queue import SimpleQueue
from threading import Lock, Thread

from django.conf import settings
from django.utils import timezone

from conversations.models import Import
from conversations.models.imports import UNFINISHED, ImportStatus
from conversations.models.keys import key_in

from .files import COMING, directory
from .intake import take_in

log = logging.getLogger(__name__)

TRIES = 3  # of a process that dies
IDLE = timedelta(days=7)
LOCK = "lock"


def waiting() -> Import | None:
    """The next import whose file lies here: a new one before one that broke off, which may have broken the process."""
    here = [key for path in directory().iterdir() if (key := key_in(path.name))]
    return Import.objects.filter(pk__in=here, status__in=UNFINISHED).select_related("owner").order_by("-status", "pk").first()


def sweep() -> None:
    """Remove the files that nobody will come back to: of people who are gone, of what is done, and what was left idle for a week."""
    idle = Import.objects.exclude(status=ImportStatus.COMPLETE).filter(heard_at__gt=timezone.now() - IDLE)
    wanted = {str(pk) for pk in idle.values_list("pk", flat=True)}
    for path in directory().iterdir():
        with suppress(FileNotFoundError):  # it has just got its name
            is_coming = path.suffix == COMING and path.stat().st_mtime > time.time() - IDLE.total_seconds()
            if path.name != LOCK and path.name not in wanted and not is_coming:
                path.unlink()


def work() -> None:
    """Take in all that waits, unless another process does. Who holds the lock is alone: what is running is nobody's but its own."""
    sweep()
    while waiting():
        with alone() as is_alone:
            if not is_alone:
                return
            while row := waiting():
                take_in(row)


@contextmanager
def alone() -> Iterator[bool]:
    descriptor = os.open(directory() / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


class Starter:
    """Starts the process that imports, one after the other, and waits for it in a thread that ends with the site."""

    def __init__(self) -> None:
        self._wanted: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = Lock()
        self._thread: Thread | None = None

    def ask(self, then: Callable[[], None] = lambda: None) -> None:
        """Have taken in what waits, and call `then`. May be called from any thread, and more often than there is something to do."""
        self._wanted.put(then)
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._keep_running, name="imports", daemon=True)
                self._thread.start()

    def ask_if_left(self) -> None:
        """The same where a file lies here, as after a restart."""
        if any(path.name != LOCK for path in directory().iterdir()):
            self.ask()

    def _keep_running(self) -> None:
        while True:
            then = [self._wanted.get()]
            while not self._wanted.empty():
                then.append(self._wanted.get())
            for _ in range(TRIES):
                if self._run() == 0:
                    break
            for call in then:
                call()

    def _run(self) -> int:
        command = [sys.executable, "-m", "chatsite", "take_imports"]
        try:
            return subprocess.run(command, cwd=settings.BASE_DIR, stdin=subprocess.DEVNULL, check=False).returncode  # noqa: S603 - ours
        except OSError:
            log.exception("The process that imports could not be started.")
            return 0


starter = Starter()

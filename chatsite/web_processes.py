"""Several processes that serve on one socket, kept alive by this one, which serves nothing itself.

TERM or INT ends them in order, a second one at once; HUP replaces them one by one by new ones, which load the code anew. A connection
that nobody has taken yet waits in the shared socket: no request is refused while a process ends or is replaced.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from django.conf import settings

log = logging.getLogger(__name__)

UP_SECONDS = 60.0  # a new process that is not up by then counts as broken
END_SECONDS = 10.0  # beyond SHUTDOWN_GRACE_SECONDS, before a process is killed
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds before a process that died is started again
PROVEN_AFTER = 30.0  # seconds of life after which a process counts as sound again
LINE = 0  # the descriptor of a process's line to its parent: its standard input
UP = b"1"


class Worker:
    """One process. Its standard input is a line to this one: it says on it when it is up, and ends when the line does."""

    def __init__(self, process: asyncio.subprocess.Process, line: socket.socket) -> None:
        self.process, self._line = process, line

    @classmethod
    async def start(cls, listening: socket.socket) -> "Worker":
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *command(listening), cwd=settings.BASE_DIR, stdin=theirs.fileno(), pass_fds=[listening.fileno()], start_new_session=True
            )
        return cls(process, ours)

    async def is_up(self) -> bool:
        """Wait until the process serves; False if it never does."""
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(UP_SECONDS):
                return await asyncio.get_running_loop().sock_recv(self._line, 1) == UP
        return False

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def end(self) -> None:
        """Let the process end in order, and kill it when it does not."""
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(settings.SHUTDOWN_GRACE_SECONDS + END_SECONDS):
                await self.process.wait()
        except TimeoutError:
            self.signal(signal.SIGKILL)
            await self.process.wait()

    def close(self) -> None:
        self._line.close()


class Place:
    """The place of one process, which is never empty for long."""

    def __init__(self, number: int, listening: socket.socket) -> None:
        self.number, self._listening = number, listening
        self.worker: Worker | None = None
        self._next: Worker | None = None
        self._pause = FIRST_PAUSE
        self._is_closing = asyncio.Event()

    async def keep(self) -> None:
        """Start the process, and start it again whenever it ends, until `close()`."""
        while not self._is_closing.is_set():
            self.worker, self._next = self._next or await Worker.start(self._listening), None
            await self._watch(self.worker)

    async def _watch(self, worker: Worker) -> None:
        """Wait for the end of the process, and for a while more if nobody asked for it."""
        loop = asyncio.get_running_loop()
        born = loop.time()
        code = await worker.process.wait()
        worker.close()
        if self._next or self._is_closing.is_set():
            return
        self._pause = FIRST_PAUSE if loop.time() - born > PROVEN_AFTER else min(self._pause * 2, LONGEST_PAUSE)
        log.error("Process %d of the site ended (code %s); starting it again in %g s.", self.number, code, self._pause)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_closing.wait(), self._pause)

    async def replace(self) -> bool:
        """Start a new process and, once it serves, end the old one; False, and nothing is changed, if it never does."""
        fresh = await Worker.start(self._listening)
        if not await fresh.is_up():
            await fresh.end()
            fresh.close()
            return False
        self._next = fresh
        if self.worker:
            await self.worker.end()
        return True

    async def close(self) -> None:
        self._is_closing.set()
        if self.worker:
            await self.worker.end()


class Workers:
    """All processes of this site."""

    def __init__(self, listening: socket.socket, count: int) -> None:
        self._places = [Place(number, listening) for number in range(1, count + 1)]
        self._tasks: set[asyncio.Task[None]] = set()
        self._replacing = asyncio.Lock()
        self._is_closing = False

    async def run(self) -> None:
        """Keep the processes until a signal ends them."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._begin_close)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        await asyncio.gather(*(place.keep() for place in self._places))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _hang_up(self) -> None:
        """Replace the processes; in a terminal, HUP says that it is gone."""
        if sys.stdin.isatty():
            self._begin_close()
        else:
            self._spawn(self._replace_all())

    def _begin_close(self) -> None:
        if self._is_closing:
            for place in self._places:
                if place.worker:
                    place.worker.signal(signal.SIGTERM)  # asked a second time, a process stops at once
            return
        self._is_closing = True
        for place in self._places:
            self._spawn(place.close())

    async def _replace_all(self) -> None:
        async with self._replacing:
            for place in self._places:
                if self._is_closing:
                    return
                if not await place.replace():
                    log.error("The new process %d does not come up: the old ones go on.", place.number)
                    return
            log.info("All %d processes are replaced.", len(self._places))


def command(listening: socket.socket) -> Sequence[str]:
    return [sys.executable, "-m", "chatsite", "serve", "--socket", str(listening.fileno())]


def tell_parent(when_gone: Callable[[], None]) -> None:
    """Say, in a process that `Workers` started, that it serves; `when_gone` is called when the parent has died."""
    asyncio.get_running_loop().add_reader(LINE, when_gone)
    with suppress(OSError):  # it is gone already, which the line tells
        os.write(LINE, UP)

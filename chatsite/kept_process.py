"""A process kept alive beside the site: started, restarted with a growing pause when it dies, ended with the site."""

import logging
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

log = logging.getLogger(__name__)

LONGEST_PAUSE = 60.0  # seconds between two tries of a process that dies at once
PROVEN_AFTER = 30.0  # seconds of life after which a process counts as sound again
PATIENCE = 3.0  # seconds a process may take to end before it is killed


class KeptProcess:
    """`start()` it and `stop()` it; in between a thread sees to it that it runs. All of it may be called from any thread."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], first_pause: float = 0.5) -> None:
        self.name, self.first_pause = name, first_pause
        self._command, self._environment = list(command), dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopping = threading.Event()
        self._lock = threading.Lock()
        self._keeper = threading.Thread(target=self._keep, name=f"keeper of {name}", daemon=True)

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process and process.poll() is None else None

    def start(self) -> None:
        self._keeper.start()

    def stop(self) -> None:
        """End the process, at the latest after PATIENCE seconds; a second call does nothing."""
        with self._lock:
            self._is_stopping.set()
            process = self._process
        if process:
            end(process)
        if self._keeper.is_alive():
            self._keeper.join(PATIENCE)

    def _keep(self) -> None:
        pause = self.first_pause
        while process := self._spawn():
            born = time.monotonic()
            code = process.wait()
            close(process)
            if self._is_stopping.is_set():
                return
            pause = self.first_pause if time.monotonic() - born > PROVEN_AFTER else pause
            log.warning("%s ended (code %s); starting it again in %g s.", self.name, code, pause)
            if self._is_stopping.wait(pause):
                return
            pause = min(pause * 2, LONGEST_PAUSE)

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        """Start the process, unless it is to stop. Its standard input is a pipe that closes when this process ends.

        It gets a session of its own: Ctrl-C in the terminal reaches the site alone, which ends its processes in order.
        """
        with self._lock:
            if self._is_stopping.is_set():
                return None
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours
                self._command, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
            )
            return self._process


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def close(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe that tells the process that its parent lives."""
    assert process.stdin
    with suppress(BrokenPipeError):
        process.stdin.close()


def free_port() -> int:
    """Return a port of the loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

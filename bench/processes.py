"""Child processes of a measurement. Each is ended by who began it, also on Ctrl-C; everything listens on the loopback."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .meter import cpu_seconds

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
STOP_SECONDS = 20
LOOK_SECONDS = 0.01  # between two looks whether a server is up
QUIET_SECONDS = 0.5  # of next to no work, after which a start is over
QUIET_SHARE = 0.1


@contextmanager
def process(command: Sequence[str], environment: Mapping[str, str], stdout: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A child in a session of its own, so that Ctrl-C reaches this process first and the children end in order."""
    child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stdout, start_new_session=True)
    try:
        yield child
    finally:
        end(child)
        if child.stdout:
            child.stdout.close()


def end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def wait_until_up(url: str, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=START_SECONDS).close()
            return
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{url} answers {error.code}.") from None
        except OSError:
            time.sleep(LOOK_SECONDS)
    raise SystemExit(f"{' '.join(map(str, child.args))} did not come up.")  # type: ignore[arg-type]


def wait_until_quiet(pid: int) -> None:
    """Wait until the process and its children are through with their start: the first of several answers before the last is up."""
    deadline, before = time.monotonic() + START_SECONDS, cpu_seconds(pid)
    while time.monotonic() < deadline:
        time.sleep(QUIET_SECONDS)
        now = cpu_seconds(pid)
        if now - before < QUIET_SHARE * QUIET_SECONDS:
            return
        before = now
    raise SystemExit(f"Process {pid} does not come to rest.")


def python(environment: Mapping[str, str], *arguments: str) -> str:
    """Run a script of the checkout to its end and return what it printed."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, timeout=600, check=False)
    if done.returncode:
        raise SystemExit(f"python {' '.join(arguments[:2])} failed with code {done.returncode}.")
    return done.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""A process beside the site: restarted when it dies, gone when the site is gone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatsite.kept_process import KeptProcess

LIMIT = 10.0
WAITS_FOR_PARENT = "import sys; sys.stdin.read()"


def kept(code: str = WAITS_FOR_PARENT) -> KeptProcess:
    return KeptProcess("The process", [sys.executable, "-c", code], os.environ, first_pause=0.05)


def wait_until(is_so: Callable[[], object]) -> bool:
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.01)
    return False


def is_alive(pid: int) -> bool:
    """Say whether a process still runs; one that is dead and not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def process() -> Iterator[KeptProcess]:
    process = kept()
    process.start()
    assert wait_until(lambda: process.pid)
    yield process
    process.stop()


def test_a_process_that_was_killed_is_started_again(process: KeptProcess) -> None:
    first = process.pid
    assert first
    os.kill(first, signal.SIGKILL)
    assert wait_until(lambda: process.pid not in (None, first))


def test_a_process_that_was_stopped_stays_away(process: KeptProcess) -> None:
    pid = process.pid
    assert pid
    process.stop()
    assert not is_alive(pid)
    assert process.pid is None


def test_a_process_that_dies_at_once_is_tried_ever_more_seldom(caplog: pytest.LogCaptureFixture) -> None:
    process = kept("raise SystemExit(3)")
    process.start()
    assert wait_until(lambda: len(caplog.records) >= 3)
    process.stop()
    pauses = [record.args[2] for record in caplog.records if isinstance(record.args, tuple)]
    assert pauses[:3] == [0.05, 0.1, 0.2]


def test_the_process_ends_when_the_site_is_killed() -> None:
    site = subprocess.Popen([sys.executable, "-c", SITE], stdout=subprocess.PIPE, text=True)
    assert site.stdout
    child = int(site.stdout.readline())
    assert is_alive(child)
    site.kill()
    site.communicate()
    assert wait_until(lambda: not is_alive(child))


SITE = f"""
import sys, time
from chatsite.kept_process import KeptProcess
process = KeptProcess("x", [sys.executable, "-c", {WAITS_FOR_PARENT!r}], {{}})
process.start()
while not process.pid: pass
print(process.pid, flush=True)
time.sleep(60)
"""

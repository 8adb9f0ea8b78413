"""Run all tests in lanes side by side: `python -m tests.lanes`. Most of them wait, for processes, pages and clocks.

What a lane said is printed whole once it has ended; a lane that fails ends no other, and makes this fail. The lane of the rest takes
whatever no other one names, so that a new test is never left out.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["tests/browser"]
PROCESSES = ["tests/generation", "tests/start", "tests/consumers", "tests/eventstream", "tests/test_handler.py"]
PYTEST = [sys.executable, "-m", "pytest"]
REST = [*PYTEST, "tests", *(f"--ignore={path}" for path in PAGES + PROCESSES)]
LANES: dict[str, Sequence[Sequence[str]]] = {
    "pages": [[*PYTEST, *PAGES]],
    "processes": [[*PYTEST, *PROCESSES]],
    "the rest, and on PostgreSQL": [REST, ["make", "test-postgresql"]],
}


class Lane:
    """Commands that run one after the other, beside the other lanes; all of them, also after one that failed."""

    def __init__(self, name: str, commands: Sequence[Sequence[str]], log: Path) -> None:
        self.name, self._waiting, self._log = name, list(commands), log
        self.codes: list[int] = []
        self._running: subprocess.Popen[bytes] | None = None

    def has_ended(self) -> bool:
        """Go on with what is next, and say whether nothing is."""
        if self._running is not None:
            if self._running.poll() is None:
                return False
            self.codes.append(self._running.returncode)
            self._running = None
        if self._waiting:
            with self._log.open("ab") as log:
                self._running = subprocess.Popen(self._waiting.pop(0), cwd=ROOT, stdout=log, stderr=log)
        return self._running is None

    @property
    def has_failed(self) -> bool:
        return any(self.codes)

    def tell(self, seconds: float) -> None:
        print(f"\n=== {self.name}: {'failed' if self.has_failed else 'passed'} after {seconds:.0f} s\n{self._log.read_text()}", flush=True)


def run(named: dict[str, Sequence[Sequence[str]]], logs: Path) -> int:
    """Return the exit code: 1 where a command of any lane failed."""
    lanes = [Lane(name, commands, logs / str(number)) for number, (name, commands) in enumerate(named.items())]
    open_lanes, began = list(lanes), time.monotonic()
    print(f"{len(lanes)} lanes side by side: {', '.join(named)}.", flush=True)
    while open_lanes:
        for lane in [lane for lane in open_lanes if lane.has_ended()]:
            lane.tell(time.monotonic() - began)
            open_lanes.remove(lane)
        time.sleep(0.2)
    failed = [lane.name for lane in lanes if lane.has_failed]
    print(f"FAILED: {'; '.join(failed)}" if failed else "All lanes passed.", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        with tempfile.TemporaryDirectory(prefix="chatsite-lanes-") as name:
            sys.exit(run(LANES, Path(name)))
    except KeyboardInterrupt:  # the terminal has told the lanes, too
        sys.exit(130)

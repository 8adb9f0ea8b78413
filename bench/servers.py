"""What is measured beside the site, and the fake provider that all of them ask."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .processes import free_port, process, wait_until_up


@dataclass(slots=True)
class Server:
    """A server under measurement, and what the people need to use it."""

    name: str
    base_url: str
    pid: int
    models: dict[str, int] = field(default_factory=dict)
    sessions: list[str] = field(default_factory=list)
    histories: dict[int, list[int]] = field(default_factory=dict)  # by turns: a conversation of each person's
    beside: tuple[int, ...] = ()  # the processes of its database and its layer, as far as they run on this machine
    start_seconds: float = 0


@contextmanager
def run_sketch(provider_url: str) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.sketch:app", "--port", str(port), "--workers", "1", "--log-level", "warning"]
    with process(command, os.environ | {"PROVIDER_URL": provider_url}) as child:
        wait_until_up(f"http://127.0.0.1:{port}/docs", child)
        yield Server("sketch", f"http://127.0.0.1:{port}", child.pid)


@contextmanager
def run_limit(provider_url: str) -> Iterator[Server]:
    port = free_port()
    with process([sys.executable, "-m", "bench.limit", str(port)], os.environ | {"PROVIDER_URL": provider_url}) as child:
        wait_until_up(f"http://127.0.0.1:{port}/", child)
        yield Server("limit", f"http://127.0.0.1:{port}", child.pid)


@contextmanager
def run_provider() -> Iterator[str]:
    """Yield the base URL of a fake provider."""
    with process([sys.executable, "-m", "bench.fake_provider", "--port", "0"], os.environ, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        yield child.stdout.readline().decode().split()[-1]

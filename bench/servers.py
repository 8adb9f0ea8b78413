"""The processes of a measurement: the fake provider, the site as it runs in production, and the sketch.

Each is a context manager that ends what it began, also on Ctrl-C. Everything listens on the loopback.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30
STOP_SECONDS = 10


@dataclass(slots=True)
class Server:
    """A server under measurement, and what the people need to use it."""

    name: str
    base_url: str
    pid: int
    models: dict[str, int] = field(default_factory=dict)
    sessions: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Site:
    """A data directory that is filled; `run()` serves it. Of one directory a new server can be started for each case."""

    environment: dict[str, str]
    models: dict[str, int]
    sessions: list[str]
    command: Sequence[str]

    @contextmanager
    def run(self) -> Iterator[Server]:
        port = free_port()
        environment = self.environment | {"PORT": str(port)}
        with process([part.format(port=port) for part in self.command], environment) as child:
            base_url = f"http://127.0.0.1:{port}"
            wait_until_up(f"{base_url}/accounts/login/", child)
            yield Server("site", base_url, child.pid, self.models, self.sessions)


def prepare_site(directory: Path, provider_url: str, model_ids: Sequence[str], people: int, options: dict[str, str]) -> Site:
    """Migrate and fill a database; `options` are more environment for the site, such as DATABASE_URL."""
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")} | {
        "DATA_DIR": str(directory),
        "SECRET_KEY": secrets.token_urlsafe(50),
        "HOST": "127.0.0.1",
        "LOCAL_MODEL": "off",
        "LOG_LEVEL": "WARNING",
        **options,
    }
    manage(environment, "migrate", "--verbosity=0")
    manage(environment, "collectstatic", "--noinput", "--verbosity=0")
    filled = json.loads(python(environment, "-m", "bench.prepare", str(people), provider_url, *model_ids))
    return Site(environment, filled["models"], filled["sessions"], serve_command())


def serve_command() -> list[str]:
    return [sys.executable, "manage.py", "serve"]


def manage(environment: dict[str, str], *arguments: str) -> None:
    python(environment, "manage.py", *arguments)


def python(environment: dict[str, str], *arguments: str) -> str:
    """Run a script of the checkout to its end and return what it printed."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, timeout=120, check=False)
    if done.returncode:
        raise SystemExit(f"python {' '.join(arguments[:2])} failed with code {done.returncode}.")
    return done.stdout


@contextmanager
def run_sketch(provider_url: str) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.sketch:app", "--port", str(port), "--workers", "1", "--log-level", "warning"]
    with process(command, os.environ | {"PROVIDER_URL": provider_url}) as child:
        wait_until_up(f"http://127.0.0.1:{port}/docs", child)
        yield Server("sketch", f"http://127.0.0.1:{port}", child.pid)


@contextmanager
def run_provider() -> Iterator[tuple[str, int]]:
    """Yield the base URL and the process id of a fake provider."""
    with process([sys.executable, "-m", "bench.fake_provider", "--port", "0"], dict(os.environ), stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        yield child.stdout.readline().decode().split()[-1], child.pid


@contextmanager
def process(command: Sequence[str], environment: dict[str, str], stdout: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A child in a session of its own, so that Ctrl-C reaches this process first and the children end in order."""
    child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stdout, start_new_session=True)
    try:
        yield child
    finally:
        end(child)


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
            time.sleep(0.05)
    raise SystemExit(f"{' '.join(map(str, child.args))} did not come up.")  # type: ignore[arg-type]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

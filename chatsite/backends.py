"""What the processes of a site meet in: the database and the layer of wake-ups, as Django's settings, from the addresses a host gives.

An address that cannot be used raises ImproperlyConfigured with a sentence that names its variable, and quotes no piece of a password.
"""

import re
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

# What PostgreSQL ends by itself: a statement that runs away, a wait for a lock, a transaction that nobody goes on with.
TIME_OUTS = "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
# What notices a PostgreSQL that vanished without a word: nothing heard for 25 s, or nothing that was sent taken for 10 s (milliseconds).
KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 10_000}
# Who asks waits for a connection, and the pool tries to make one, for so many seconds. Given more, it would pause longer and longer between
# two tries, and find a server that was away for some minutes up to two minutes after it is back.
POOL = {"timeout": 3, "reconnect_timeout": 2}
ENCODED = "In a password write %23 for #, %2F for /, %3F for ?, %40 for @, %3A for :, %25 for %."


def database(url: str, data_dir: Path, *, threads: int = 6) -> dict[str, Any]:
    """Return the Django settings of the database that DATABASE_URL names; without one, SQLite in the data directory.

    `threads` are those of this process that may ask it at the same time.
    """
    if not url:
        return sqlite(data_dir / "site.sqlite3")
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
    except ValueError:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read. {ENCODED}") from None  # what Python says quotes a piece of the password
    if parts.fragment or "#" in url:
        raise ImproperlyConfigured(f"DATABASE_URL has a # in it. {ENCODED}")
    if parts.scheme == "sqlite" and parts.path.startswith("//"):
        return sqlite(Path("/" + parts.path.lstrip("/")))
    if parts.scheme == "sqlite" and parts.path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL names a file without saying where: write the whole path, sqlite:////path/to/file.")
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL must look like postgresql://user:password@host:5432/name or sqlite:////path/to/file.")
    options = dict(parse_qsl(parts.query))
    check_postgresql(options)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": port,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            "options": TIME_OUTS,
            "pool": {"min_size": 1, "max_size": threads + 2, "max_idle": 300, **POOL},
            **KEEPALIVE,
            **options,
        },
    }


def check_postgresql(options: dict[str, str]) -> None:
    from psycopg import ProgrammingError
    from psycopg.conninfo import make_conninfo

    try:
        make_conninfo("", **options)
    except ProgrammingError:
        raise ImproperlyConfigured(f"DATABASE_URL has an option behind the ? that PostgreSQL does not know. {ENCODED}") from None


def channel_layer(url: str, database: dict[str, Any], *, site: str = "", is_shared: bool = False) -> dict[str, Any]:
    """Return the settings of the layer that wake-ups go over: Redis where REDIS_URL names one, else PostgreSQL, else memory.

    `site` is what all processes of one site know, and no other: on one Redis sites must not hear each other, and its databases do not
    keep them apart. A layer that is shared by several processes cannot be in memory.
    """
    if url:
        check_redis(url)
        prefix = f"chatsite-{sha256(site.encode()).hexdigest()[:12]}-"
        return {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [url], "prefix": prefix}}
    if database["ENGINE"].endswith("postgresql"):
        return {"BACKEND": "chatsite.postgres_layer.PostgresChannelLayer"}
    if is_shared:
        raise ImproperlyConfigured(
            "WEB_PROCESSES above 1 and GENERATE_IN=dedicated need processes that hear of each other: "
            "set DATABASE_URL to a PostgreSQL database, or REDIS_URL."
        )
    return {"BACKEND": "channels.layers.InMemoryChannelLayer"}


def check_redis(url: str) -> None:
    """Raise ImproperlyConfigured for what the client would refuse later, or misread: a database that is no number is 0 to it."""
    import redis

    try:
        parts = urlsplit(url)
        is_known = parts.scheme in {"redis", "rediss", "unix"} and parts.port != 0
        is_known = is_known and (parts.scheme == "unix" or re.fullmatch(r"/?|/\d{1,4}/?", parts.path) is not None)
        redis.ConnectionPool.from_url(url).make_connection()  # makes an object, and connects to nothing
    except (ValueError, TypeError, redis.RedisError):
        is_known = False
    if not is_known:
        raise ImproperlyConfigured(f"REDIS_URL cannot be read: it must look like redis://user:password@host:6379/0. {ENCODED}")


def sqlite(path: Path) -> dict[str, Any]:
    """Return SQLite as a server wants it: writers queue instead of failing, readers never wait for them.

    IMMEDIATE takes the write lock at BEGIN, where the time-out applies; a DEFERRED transaction that turns
    into a writer half-way fails at once with "database is locked" (sqlite.org/lang_transaction.html).
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"The directory of the SQLite file {path} cannot be made: {error.strerror}.") from None
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728; PRAGMA cache_size=-16000",
        },
    }

"""Typed readers of environment variables: every setting a host can change is read here, and only at start.

A value that cannot be understood raises ImproperlyConfigured with a sentence that names the variable.
"""

import os
import re
import secrets
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured

# What PostgreSQL ends by itself: a statement that runs away, a wait for a lock, a transaction that nobody goes on with.
TIME_OUTS = "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
# What notices a PostgreSQL that vanished without a word: nothing heard for 25 s, or nothing that was sent taken for 10 s (milliseconds).
KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 10_000}
# Who asks waits for a connection, and the pool tries to make one, for so many seconds. Given more, it would pause longer and longer between
# two tries, and find a server that was away for some minutes up to two minutes after it is back.
POOL = {"timeout": 3, "reconnect_timeout": 2}
ORIGIN = re.compile(r"https?://(\*\.)?([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?")
ENCODED = "In a password write %23 for #, %2F for /, %3F for ?, %40 for @, %3A for :, %25 for %."
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def raw(name: str, default: str = "") -> str:
    value = os.environ.get(name, default)
    try:
        value.encode()
    except UnicodeEncodeError:  # the system gives bytes, and Python puts stand-ins for those that are none of UTF-8
        raise ImproperlyConfigured(f"{name} is not UTF-8.") from None
    return value


def text(name: str, default: str = "") -> str:
    return raw(name, default).strip()


def directory(name: str, default: Path) -> Path:
    """Return a directory as an absolute path. An empty value is refused: it would be whatever directory the site is started in."""
    if not (value := text(name, str(default))):
        raise ImproperlyConfigured(f"{name} is empty: name a directory, or leave it out.")
    return Path(value).expanduser().resolve()


def flag(name: str, default: bool = False) -> bool:
    value = text(name, "1" if default else "0").lower()
    if value in TRUE | FALSE:
        return value in TRUE
    raise ImproperlyConfigured(f"{name}={value!r} is neither on nor off: use 1 or 0.")


def number(name: str, default: int, *, least: int = 0) -> int:
    value = text(name, str(default))
    try:
        found = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number.") from None
    if found < least:
        raise ImproperlyConfigured(f"{name}={value!r} is too small: use {least} or more.")
    return found


def lease() -> tuple[int, int]:
    """Return after how many seconds of its owner's silence an answer may be taken over, and how often an owner says that it lives."""
    silence, heartbeat = number("LEASE_SECONDS", 10, least=1), number("HEARTBEAT_SECONDS", 3, least=1)
    if silence < 2 * heartbeat:
        raise ImproperlyConfigured(
            f"LEASE_SECONDS={silence} is too short beside HEARTBEAT_SECONDS={heartbeat}: use {2 * heartbeat} or more."
        )
    return silence, heartbeat


def choice(name: str, *choices: str) -> str:
    """Return one of the choices, in whatever case it is written; the first where none is given."""
    value = text(name) or choices[0]
    found = next((choice for choice in choices if choice.lower() == value.lower()), None)
    if found is None:
        raise ImproperlyConfigured(f"{name}={value!r} is not possible: use {', '.join(choices)}.")
    return found


def time_zone(name: str) -> str:
    """Return the name of a time zone, UTC where none is given."""
    value = text(name) or "UTC"
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ImproperlyConfigured(f"{name}={value!r} is not a time zone: use a name such as Europe/Zurich.") from None
    return value


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def origins(name: str) -> list[str]:
    """Return origins as a browser writes them: a scheme and a host, perhaps a port, in small letters, and nothing behind."""
    found = [word.rstrip("/").lower() for word in words(name)]
    for origin in found:
        if not ORIGIN.fullmatch(origin):
            raise ImproperlyConfigured(f"{name}: {origin!r} is not an origin: write it as https://chat.example.org.")
    return found


def address(name: str) -> str:
    """Return the address of a server that speaks HTTP, "" where none is given. It is shown to staff, so it may hold no password."""
    value = text(name)
    try:
        parts = urlsplit(value)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and not re.search(r"\s", value)
    except ValueError:
        parts, is_one = None, False
    if parts and "@" in parts.netloc:
        raise ImproperlyConfigured(f"{name}: give the address without a password, it would be shown. A key goes into OPENAI_API_KEY.")
    if value and not is_one:
        raise ImproperlyConfigured(f"{name} is not the address of a server: write it as http://127.0.0.1:11434/v1.")
    return value


def secret_key(data_dir: Path) -> str:
    """Return SECRET_KEY, or the one kept in the data directory, made on the first start (mode 0600)."""
    if key := text("SECRET_KEY"):
        return key
    path = data_dir / "secret_key"
    data_dir.mkdir(parents=True, exist_ok=True)
    if path.is_file() and not path.stat().st_size:
        path.unlink(missing_ok=True)  # a start left it that was killed
    if not path.is_file():
        keep_new_key(path)
    return path.read_text().strip()


def keep_new_key(path: Path) -> None:
    """Put a whole key at `path` in one step: of several first starts at once one wins, and none reads half a key."""
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50))
    with suppress(FileExistsError):
        os.link(name, path)
    os.unlink(name)


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


def mailer() -> dict[str, Any]:
    """Return the Django settings of the mail server that EMAIL_HOST names; without one, mails are printed to the log."""
    if not (host := text("EMAIL_HOST")):
        return {"BACKEND": "django.core.mail.backends.console.EmailBackend"}
    login = {"username": text("EMAIL_USER"), "password": text("EMAIL_PASSWORD")}
    options = {"host": host, "port": number("EMAIL_PORT", 587), "use_tls": flag("EMAIL_TLS", True), "timeout": 10, **login}
    return {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}


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

"""Typed readers of environment variables: every setting a host can change is read here, and only at start.

A value that cannot be understood raises ImproperlyConfigured with a sentence that names the variable.
"""

import os
import re
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured

ORIGIN = re.compile(r"https?://(\*\.)?([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?")
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


def mailer() -> dict[str, Any]:
    """Return the Django settings of the mail server that EMAIL_HOST names; without one, mails are printed to the log."""
    if not (host := text("EMAIL_HOST")):
        return {"BACKEND": "django.core.mail.backends.console.EmailBackend"}
    login = {"username": text("EMAIL_USER"), "password": text("EMAIL_PASSWORD")}
    options = {"host": host, "port": number("EMAIL_PORT", 587), "use_tls": flag("EMAIL_TLS", True), "timeout": 10, **login}
    return {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}

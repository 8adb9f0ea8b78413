"""What the site keeps is for the account that it runs as: conversations, the secret key, files to be imported."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings

OTHERS = stat.S_IRWXG | stat.S_IRWXO
OURS = ("secret_key", "site.sqlite3*", "static*", "imports")
SUFFIXES = ("", "-wal", "-shm", "-journal", "-serving")  # of the files of an SQLite database


def keep_all() -> None:
    """Do so with what the settings name. Raises OSError where the data directory cannot be made."""
    database = settings.DATABASES["default"]
    keep(settings.DATA_DIR, Path(database["NAME"]) if database["ENGINE"].endswith("sqlite3") else None)


def keep(data_dir: Path, database: Path | None = None) -> None:
    """Make what is made from now on for this account only, and what is there, too. Where it is somebody else's it stays as it is."""
    os.umask(OTHERS)
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in found(data_dir, database):
        with suppress(OSError):
            if not path.is_symlink() and (mode := stat.S_IMODE(path.stat().st_mode)) & OTHERS:
                path.chmod(mode & ~OTHERS)


def found(data_dir: Path, database: Path | None) -> Iterator[Path]:
    """What is ours in the data directory, and the directory itself, unless it is one for everybody, like /tmp."""
    ours = [path for pattern in OURS for path in data_dir.glob(pattern)]
    yield from ours
    if ours and not data_dir.stat().st_mode & stat.S_ISVTX:
        yield data_dir
    if database:
        yield from (path for suffix in SUFFIXES if (path := Path(f"{database}{suffix}")).is_file())

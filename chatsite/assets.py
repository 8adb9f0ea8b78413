"""The static files as they are served: hashed names, compressed, in DATA_DIR/static. Collected only when one has changed."""

import fcntl
import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect() -> bool:
    """Collect the static files unless those of the last time are still right; return whether it was needed."""
    with open(Path(settings.DATA_DIR, "static.lock"), "w") as lock:  # of processes that start together one collects
        fcntl.flock(lock, fcntl.LOCK_EX)
        return collect_if_changed()


def collect_if_changed() -> bool:
    stamp = Path(settings.DATA_DIR, "static.fingerprint")
    now = fingerprint()
    is_whole = Path(settings.STATIC_ROOT, "staticfiles.json").is_file()
    if is_whole and stamp.is_file() and stamp.read_text() == now:
        return False
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(now)
    return True


def collect_once() -> None:
    """Collect the static files where that was never done: without them no page can be shown."""
    if not Path(settings.STATIC_ROOT, "staticfiles.json").is_file():
        collect()


def fingerprint() -> str:
    """Return a hash of the name, size and time of every static file."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda found: found[0]):
            facts = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode())
    return digest.hexdigest()

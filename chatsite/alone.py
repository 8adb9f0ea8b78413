"""One process at a time where processes cannot hear of each other: wake-ups in memory end with their process."""

import fcntl
import os

from django.conf import settings

from chatsite import layer


class NotAlone(Exception):
    """Another process serves the same data; the message is a sentence for the person who starts this one."""


_locks: set[int] = set()  # the descriptor of the lock, once this process has it: closing it would let others in


def keep_others_out() -> None:
    """Keep other processes out for as long as this one lives, unless a layer lets them hear each other. Raises NotAlone."""
    if _locks or not layer.is_in_memory():
        return
    database = settings.DATABASES["default"]["NAME"]
    descriptor = os.open(f"{database}-serving", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise NotAlone(
            f"Another process serves {database} already. Several need to hear of each other: set REDIS_URL, or use PostgreSQL."
        ) from None
    _locks.add(descriptor)

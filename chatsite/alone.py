"""One process at a time where processes cannot hear of each other: wake-ups in memory end with their process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings


class NotAlone(Exception):
    """Another process serves the same data; the message is a sentence for the person who starts this one."""


@contextmanager
def alone() -> Iterator[None]:
    """Keep other processes out for as long as this one runs, unless a layer lets them hear each other. Raises NotAlone."""
    if not settings.CHANNEL_LAYERS["default"]["BACKEND"].endswith("InMemoryChannelLayer"):
        yield
        return
    database = settings.DATABASES["default"]["NAME"]
    descriptor = os.open(f"{database}-serving", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise NotAlone(
            f"Another process serves {database} already. Several need to hear of each other: set REDIS_URL, or use PostgreSQL."
        ) from None
    else:
        yield
    finally:
        os.close(descriptor)

"""Patience with a database that is away: what has to be done is tried until it is, and whoever watches an answer that waits is told so.

It must never be used for what may be given up.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager

from django.db import Error

from .feed import Feed

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 4.0  # seconds; by a half more or less, so that not all come back at once
UNTOLD_SECONDS = 2.0  # that an answer may wait before it says so


async def insist[Result](work: Callable[[], Awaitable[Result]], feeds: Callable[[], Iterable[Feed]], complaint: str) -> Result:
    """Do it until the database has done it; `feeds` gives those of the answers that wait for it, which may become more."""
    with waiting(feeds):
        for pause in pauses():
            try:
                return await work()
            except Error:
                log.exception("%s; trying again in %.1f s.", complaint, pause)
            await asyncio.sleep(pause)
    raise AssertionError("pauses never end")


@contextmanager
def waiting(feeds: Callable[[], Iterable[Feed]]) -> Iterator[None]:
    """Say of the feeds that they wait, where what is done here takes long, until it is done."""
    loop, told = asyncio.get_running_loop(), set[Feed]()
    timer = loop.call_later(UNTOLD_SECONDS, lambda: tell())

    def tell() -> None:
        nonlocal timer
        for feed in set(feeds()) - told:
            told.add(feed)
            feed.wait()
        timer = loop.call_later(UNTOLD_SECONDS, tell)

    try:
        yield
    finally:
        timer.cancel()
        for feed in told:
            feed.go_on()


def pauses() -> Iterator[float]:
    pause = FIRST_PAUSE
    while True:
        yield pause * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        pause = min(2 * pause, LONGEST_PAUSE)

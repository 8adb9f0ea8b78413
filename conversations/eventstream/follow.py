"""Followers: what is committed of an answer after a place, then whatever comes, until it ends. They only observe.

A follower has a place in what its feed keeps, and is woken when there is more. One that is slow takes the newest
state at once when it comes back, instead of all it missed: nobody waits for it (law 8).
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import closing, contextmanager

from chatsite import threads
from conversations.generation.feed import Followed
from conversations.models.usage import ended_answer

from . import sse

answer_in_thread = threads.in_thread(threads.generation, ended_answer)


type Permission = Callable[[], Awaitable[bool]]


async def always() -> bool:
    return True


@contextmanager
def woken_by(feed: Followed) -> Iterator[asyncio.Event]:
    """An event that is set whenever the feed has news; it is set to begin with."""
    news = asyncio.Event()
    news.set()
    feed.listeners.add(news.set)
    try:
        yield news
    finally:
        feed.listeners.discard(news.set)


class Pulse:
    """Wakes a follower every PING_SECONDS: one timer for the whole stream, where a time-out for each wait would cost one each."""

    def __init__(self, news: asyncio.Event) -> None:
        self._news = news
        self._is_due = False
        self._arm()

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(sse.PING_SECONDS, self._beat)

    def _beat(self) -> None:
        self._is_due = True
        self._news.set()
        self._arm()

    def take(self) -> bool:
        """Say whether a ping is due, once."""
        was_due, self._is_due = self._is_due, False
        return was_due

    def close(self) -> None:
        self._timer.cancel()


async def follow(feed: Followed) -> AsyncGenerator[bool]:
    """Yield True at once and whenever there may be news, False when it is time for a ping; end after the feed has ended.

    News that comes while the follower is busy is one piece.
    """
    with woken_by(feed) as news, closing(Pulse(news)) as pulse:
        while True:
            await news.wait()
            news.clear()
            has_ended = feed.has_ended
            if pulse.take():
                yield False
            yield True
            if has_ended:
                return

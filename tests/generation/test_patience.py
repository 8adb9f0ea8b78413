"""What is told of answers that wait for the database."""

import asyncio

from conversations.generation.feed import Feed
from conversations.generation.patience import UNTOLD_SECONDS, waiting


async def test_an_answer_that_comes_to_wait_later_is_told_of_too() -> None:
    """Its events are for the commit after the one that waits."""
    first, later = Feed(1), Feed(2)
    held = [first]
    with waiting(lambda: held):
        await told(first)
        assert not later.is_waiting
        held.append(later)
        await told(later)
    assert not first.is_waiting
    assert not later.is_waiting


async def told(feed: Feed) -> None:
    said = asyncio.Event()
    feed.listeners.add(said.set)
    async with asyncio.timeout(10 * UNTOLD_SECONDS):
        await said.wait()
    assert feed.is_waiting

"""The HTTP connections of this process, and how it parts with them in order: none is closed while a request is on its way on it.

Twisted keeps no list of them, so its channel notes each when it is made, and when it has asked.
"""

import asyncio
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from twisted.web import http

LONGEST_WAIT_SECONDS = 1.0  # for a connection that was just accepted to ask, and for the kernel to take the last words
channels: Any = http.HTTPChannel
open_channels: WeakSet[Any] = WeakSet()
fresh_channels: WeakSet[Any] = WeakSet()  # those that have asked for nothing yet


def watch() -> None:
    """Note every connection from now on."""
    channels.connectionMade = noted(channels.connectionMade)
    channels.checkPersistence = asked(channels.checkPersistence)


def part() -> None:
    """Close the connections that wait for a next request, and the others after the one they are at.

    A balancer sends no more requests here then, instead of losing one on a connection that closes later.
    """
    channels.checkPersistence = asked(never_persistent)
    for channel in set(open_channels) - set(fresh_channels):
        if channel.requests:
            channel.persistent = False
        elif channel.transport:
            channel.loseConnection()


async def let_fresh_ask() -> None:
    """Wait for the requests of connections that were accepted a moment ago: to close those would refuse them."""
    await once(lambda: not fresh_channels)


async def let_written_go() -> None:
    """Wait until the kernel has what was written: a reactor that stops drops the rest."""
    await once(lambda: not any(map(has_unsent, set(open_channels))))


async def once(holds: Callable[[], bool]) -> None:
    """Wait until it holds, a few milliseconds as a rule, but no longer than is bearable at an end."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + LONGEST_WAIT_SECONDS
    while not holds() and loop.time() < deadline:  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(0.01)


def has_unsent(channel: Any) -> bool:
    transport = channel.transport
    return bool(transport and transport.connected and (transport.dataBuffer or transport._tempDataLen))


def noted(connection_made: Callable[[Any], None]) -> Callable[[Any], None]:
    def connection_made_and_noted(channel: Any) -> None:
        open_channels.add(channel)
        fresh_channels.add(channel)
        connection_made(channel)

    return connection_made_and_noted


def asked(check_persistence: Callable[..., bool]) -> Callable[..., bool]:
    """Note that a connection has asked for something: Twisted calls this for each request, once its head is there."""

    def check_persistence_and_note(channel: Any, request: Any, version: bytes) -> bool:
        fresh_channels.discard(channel)
        return check_persistence(channel, request, version)

    return check_persistence_and_note


def never_persistent(channel: Any, request: Any, version: bytes) -> bool:
    return False

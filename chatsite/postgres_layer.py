"""A channel layer over PostgreSQL's LISTEN and NOTIFY: several processes need no Redis (docs/decisions/0010).

Every process hears every message and keeps those for groups it has joined. It carries wake-ups, which are small, and
keeps nothing: what is sent while a process is not connected is lost to it, as the layer's contract allows.
"""

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

import psycopg
from channels.layers import BaseChannelLayer
from django.db import connections
from psycopg import sql

log = logging.getLogger(__name__)

MAX_BYTES = 7_900  # of a message; PostgreSQL takes less than 8,000 (postgresql.org/docs/current/sql-notify.html)
CONNECT_SECONDS = 5
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds between two tries to connect

type Message = dict[str, Any]
type Connection = psycopg.AsyncConnection[Any]


class Ear:
    """Listens on a connection of its own and connects again whenever it breaks."""

    def __init__(self, parameters: Mapping[str, Any], name: str, capacity: int) -> None:
        self.queues: dict[str, asyncio.Queue[Message]] = {}
        self.groups: defaultdict[str, set[str]] = defaultdict(set)
        self._parameters, self._name, self._capacity = parameters, name, capacity
        self._is_up = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="listen to PostgreSQL")

    async def wait_until_up(self) -> None:
        """Wait until what is sent from now on is heard."""
        await self._is_up.wait()

    async def close(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await self._listen()
            except Exception as error:  # whatever breaks: a process whose ear is dead would wait for timers from then on
                pause = FIRST_PAUSE if self._is_up.is_set() else min(2 * pause, LONGEST_PAUSE)
                log.warning("No wake-ups from PostgreSQL for a while: %s", in_words(error))
            self._is_up.clear()
            await asyncio.sleep(pause)

    async def _listen(self) -> None:
        async with await connect(self._parameters) as connection:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._name)))
            self._is_up.set()
            async for notification in connection.notifies():
                try:
                    self._take(json.loads(notification.payload))
                except Exception as error:  # anybody who may connect to the database may notify
                    log.warning("A notification that is no message was dropped: %s", in_words(error))

    def _take(self, sent: Message) -> None:
        for channel in [sent["channel"]] if "channel" in sent else self.groups.get(sent["group"], ()):
            if (queue := self.queues.get(channel)) and queue.qsize() < self._capacity:
                queue.put_nowait(sent["message"])


class Mouth:
    """Speaks on a connection of its own, made when there is something to say."""

    def __init__(self, parameters: Mapping[str, Any], name: str) -> None:
        self._parameters, self._name = parameters, name
        self._connection: Connection | None = None
        self._lock = asyncio.Lock()

    async def say(self, sent: Message) -> None:
        """Tell every process, this one too. Raises ValueError, psycopg.Error, OSError, TimeoutError."""
        text = json.dumps(sent, separators=(",", ":"))
        if len(text.encode()) > MAX_BYTES:
            raise ValueError(f"A message of more than {MAX_BYTES} bytes does not fit into a notification.")
        async with self._lock, asyncio.timeout(CONNECT_SECONDS):
            if self._connection is None or self._connection.closed:
                self._connection = await connect(self._parameters)
            await self._connection.execute("SELECT pg_notify(%s, %s)", (self._name, text))

    async def close(self) -> None:
        if self._connection:
            await self._connection.close()


class PostgresChannelLayer(BaseChannelLayer):  # type: ignore[misc]
    """The layer of the database that `alias` names in DATABASES. Sites in databases of their own hear nothing of each other."""

    extensions = ("groups",)

    def __init__(self, alias: str = "default", name: str = "chatsite", **options: Any) -> None:
        super().__init__(**options)
        self._alias, self._name = alias, name
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Ear, Mouth]] = WeakKeyDictionary()

    def _line(self) -> tuple[Ear, Mouth]:
        """The two connections of the running loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._lines:
            parameters = parameters_of(self._alias)
            self._lines[loop] = Ear(parameters, self._name, self.capacity), Mouth(parameters, self._name)
        return self._lines[loop]

    async def new_channel(self, prefix: str = "specific") -> str:
        """Return the name of a new channel of this process, which hears what is sent from now on."""
        ear, _ = self._line()
        channel = f"{prefix}.{uuid4().hex}"
        ear.queues[channel] = asyncio.Queue()
        await ear.wait_until_up()
        return channel

    async def send(self, channel: str, message: Message) -> None:
        await self._line()[1].say({"channel": channel, "message": message})

    async def receive(self, channel: str) -> Message:
        """Return the next message; a reader that is cancelled gives up the channel, as Channels' consumers do."""
        ear, _ = self._line()
        try:
            return await ear.queues.setdefault(channel, asyncio.Queue()).get()
        except asyncio.CancelledError:
            ear.queues.pop(channel, None)
            for members in ear.groups.values():
                members.discard(channel)
            raise

    async def group_add(self, group: str, channel: str) -> None:
        self._line()[0].groups[group].add(channel)

    async def group_discard(self, group: str, channel: str) -> None:
        groups = self._line()[0].groups
        groups[group].discard(channel)
        if not groups[group]:
            del groups[group]

    async def group_send(self, group: str, message: Message) -> None:
        await self._line()[1].say({"group": group, "message": message})

    async def close(self) -> None:
        """Close the connections of the running loop."""
        for end in self._lines.pop(asyncio.get_running_loop(), ()):
            await end.close()


def parameters_of(alias: str) -> dict[str, Any]:
    """Return what psycopg needs to connect to a database of Django's, without what is Django's own."""
    parameters: dict[str, Any] = connections[alias].get_connection_params()
    return {name: value for name, value in parameters.items() if name not in ("cursor_factory", "context")}


async def connect(parameters: Mapping[str, Any]) -> Connection:
    async with asyncio.timeout(CONNECT_SECONDS):
        return await psycopg.AsyncConnection.connect(**parameters, autocommit=True)


def in_words(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__

"""The web server: Daphne, with three things added.

Back-pressure: `send()` waits while the client's buffer is full. A stop that lets answers finish. A faster event loop.
It must never run the site's own work: that is the supervisor's.
"""

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server  # makes the reactor, so it comes first
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import reactor as installed_reactor
from twisted.internet.interfaces import IPushProducer
from twisted.web import http
from zope.interface import implementer

from chatsite import bodies, http_connections

log = logging.getLogger(__name__)
reactor: Any = installed_reactor
channels: Any = http.HTTPChannel

LAST_WORDS_SECONDS = 1  # how long open responses may go on once the answers have ended or been handed over
FIRST_WORDS_SECONDS = 4  # and how long those that have not begun may take to: a page of a busy machine
CLOSE_SECONDS = 2  # how long they may take to end once they are cancelled
WEBSOCKET_BYTES = 4096  # of a client's frame: no socket of the site listens
COME_AGAIN = 1012  # the close code of a service that restarts (RFC 6455's registry)
Message = dict[str, Any]


@implementer(IPushProducer)
class Gate:
    """What one open response waits at while its client's buffer (64 KiB beside the kernel's) is full."""

    def __init__(self, channel: Any) -> None:
        self.channel = channel
        self._is_open = asyncio.Event()
        self._is_open.set()
        channel.registerProducer(self, True)
        write_at_once(channel.transport)

    async def wait(self) -> None:
        if not self._is_open.is_set():
            await self._is_open.wait()

    def pauseProducing(self) -> None:
        self._is_open.clear()

    def resumeProducing(self) -> None:
        self._is_open.set()

    def stopProducing(self) -> None:
        self._is_open.set()

    def remove(self) -> None:
        """Let who waits go on, and leave the connection to its next request."""
        self._is_open.set()
        write_later(self.channel.transport)
        self.channel.unregisterProducer()


def write_at_once(transport: Any) -> None:
    """Let a connection send what it is given in the same turn of the event loop.

    Twisted asks the selector for writability first, for each piece, and is asked back at once: two system calls and a
    turn of the loop for nothing. What the kernel does not take, and every error, still goes that way.
    """
    wait_for_room = transport.startWriting

    def start_writing() -> None:
        if transport.doWrite() is not None or transport.dataBuffer or transport._tempDataLen:
            wait_for_room()

    transport.startWriting = start_writing


def write_later(transport: Any) -> None:
    """Undo `write_at_once`."""
    transport.__dict__.pop("startWriting", None)


class Socket(WebSocketProtocol):  # type: ignore[misc]
    """A WebSocket that ends when it is closed: Twisted closes when the selector says that all is written, so it must be asked."""

    def _closeConnection(self, abort: bool = False) -> None:
        write_later(self.transport)
        super()._closeConnection(abort)


class SiteServer(Server):  # type: ignore[misc]
    """Daphne as the site runs it. `when_up` is called on the loop, `before_down` is awaited while open responses still go on.

    A line of a request that is too long is answered with 400; Twisted would hang up without a word.
    """

    def __init__(
        self, application: Any, listening: socket.socket, *, when_up: Callable[[], None], before_down: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(
            application,
            endpoints=build_endpoint_description_strings(file_descriptor=listening.detach()),  # closed once it is copied
            signal_handlers=False,
            server_name="",
            websocket_max_frame_size=WEBSOCKET_BYTES,
        )
        self.when_up, self.before_down = when_up, before_down
        self._stopping: asyncio.Task[None] | None = None

    def run(self) -> None:
        """Serve until a signal ends it."""
        use_fast_loop()
        channels.lineLengthExceeded = refuse_line
        WebSocketFactory.protocol = Socket
        http_connections.watch()
        reactor._asyncioEventloop.call_soon(self._begin)  # a start-up trigger of the reactor would run before the loop does
        super().run()

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # HUP: the terminal is gone
            loop.add_signal_handler(number, self.begin_stop)
        self.when_up()

    def begin_stop(self) -> None:
        """Stop in order; asked a second time, stop at once."""
        if self._stopping is None:
            self._stopping = asyncio.ensure_future(self._stop_in_order())
        else:
            self.stop()

    async def _stop_in_order(self) -> None:
        for listener in self.listeners:
            listener.addCallback(lambda port: port and port.stopListening())
        http_connections.part()
        try:
            await http_connections.let_fresh_ask()
            await self.before_down()
            await self._let_responses_end()
            await http_connections.let_written_go()
        except Exception:
            log.exception("The answers could not be handed over.")
        finally:
            self.stop()

    async def _let_responses_end(self) -> None:
        """Wait for what ends by itself: a stream still has to tell how its answer ended. WebSockets that do not are closed with a word.

        A request that has not been answered at all is not sent away without a word.
        """
        if pending := self._open_responses():
            await asyncio.wait(pending, timeout=LAST_WORDS_SECONDS)
        for protocol in self.connections:
            if isinstance(protocol, WebSocketProtocol):
                close_socket(protocol, COME_AGAIN)
        if unanswered := self._open_responses(unanswered=True):
            await asyncio.wait(unanswered, timeout=FIRST_WORDS_SECONDS)

    def stop(self) -> None:
        with suppress(Exception):  # twisted raises when it is stopping already
            super().stop()

    def kill_all_applications(self) -> Any:
        """Cancel every open response and wait for their ends, but not for ever."""
        pending = self._open_responses()
        for instance in pending:
            instance.cancel()
        from twisted.internet.defer import Deferred

        return Deferred.fromFuture(asyncio.ensure_future(wait_for(pending))) if pending else None

    def _open_responses(self, *, unanswered: bool = False) -> list[asyncio.Future[Any]]:
        """Return what writes the responses that are open, or of those only what has not begun to."""
        open_now = [
            details.get("application_instance")
            for protocol, details in self.connections.items()
            if not (unanswered and getattr(protocol, "_response_started", True))
        ]
        return [instance for instance in open_now if instance and not instance.done()]

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        return super().create_application(protocol, bodies.with_body(protocol, scope))

    async def handle_reply(self, protocol: Any, message: Message) -> None:
        """Send `message`; where more is to come, return once the client's buffer has room."""
        if message["type"] == "websocket.close" and close_socket(protocol, message.get("code", 1000)):
            return
        if message["type"] == "websocket.send" and protocol.state != protocol.STATE_OPEN:
            return  # the client has just left, and is about to be told to have
        await super().handle_reply(protocol, message)
        if gate := self._gate(protocol, message):
            await gate.wait()

    def _gate(self, protocol: Any, message: Message) -> Gate | None:
        """Return the gate of a response that goes on, made at its first piece; None for one that is whole or gone."""
        details = self.connections.get(protocol)
        if not details or details.get("disconnected"):
            return None
        if "gate" not in details and (channel := channel_of(protocol, message)):
            details["gate"] = Gate(channel)
        gate: Gate | None = details.get("gate")
        return gate

    def protocol_disconnected(self, protocol: Any) -> None:
        if gate := self.connections[protocol].pop("gate", None):
            gate.remove()
        super().protocol_disconnected(protocol)


def channel_of(protocol: Any, message: Message) -> Any:
    """Return the connection that a response which goes on is written to.

    Twisted leaves the HTTP channel in place as the transport's producer when a connection becomes a WebSocket.
    """
    if message["type"] == "http.response.body":
        return protocol.channel if message.get("more_body") else None
    return protocol.transport.producer if message["type"] == "websocket.accept" else None


def close_socket(protocol: WebSocketProtocol, code: int) -> bool:
    """Close an open WebSocket with any code; False for one that is not open. Daphne's own way takes 1000 and private codes only."""
    if protocol.state != protocol.STATE_OPEN:
        return False
    protocol.sendCloseFrame(code=code)
    return True


def refuse_line(channel: Any, line: bytes) -> None:
    channel._respondToBadRequestAndDisconnect()


async def wait_for(instances: list[asyncio.Future[Any]]) -> None:
    await asyncio.wait(instances, timeout=CLOSE_SECONDS)


def use_fast_loop() -> None:
    """Give the reactor uvloop's event loop, where uvloop is installed.

    Daphne makes the reactor with the standard loop while Django loads its apps, before any command of ours runs; the
    reactor has no more on that loop by now than its own wake-up pipe, which moves along.
    """
    try:
        import uvloop
    except ImportError:
        return
    readers = reactor.getReaders()
    for reader in readers:
        reactor.removeReader(reader)
    reactor._asyncioEventloop.close()
    reactor._asyncioEventloop = uvloop.new_event_loop()
    for reader in readers:
        reactor.addReader(reader)

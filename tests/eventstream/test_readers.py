"""Readers that are slow, vanish or only wait, at a real process on PostgreSQL: none costs a thread, a connection or the others."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cluster import Node, cluster
from tests.private import Link, link_to
from tests.server import Server
from tests.viewers import Browser, Program

pytestmark = pytest.mark.real_postgresql
WHOLE = "/rate 20000 /long 600"
IDLE = 300
GONE = 100
MOST_BYTES = 40 * 1024 * 1024  # by which the process may grow; without a bound each reader that is gone would cost more than one
MOST_CONNECTIONS = 4 + 4 + 2 + 1  # the pool beside four threads, the two of the wake-ups, and the one that counts
PAUSE = 0.05  # seconds between two bytes of a slow reader
SLOW_BYTES = 20
OPEN = b"HTTP/1.1 200"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with cluster(tmp_path_factory.mktemp("readers") / "data", 1) as (site,):
        yield site


def memory(server: Server) -> int:
    return int(Path(f"/proc/{server.pid}/statm").read_text().split()[1]) * 4096


def connections(node: Node) -> int:
    with psycopg.connect(node.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()").fetchone()
        assert row
        return int(row[0])


def open_streams(stack: ExitStack, server: Server, path: str, count: int) -> list[socket.socket]:
    """Streams whose first bytes have come."""
    clients = [stack.enter_context(server.stream(path)) for _ in range(count)]
    for client in clients:
        assert client.recv(len(OPEN), socket.MSG_WAITALL) == OPEN
    return clients


def test_three_hundred_idle_streams_hold_no_thread_no_connection_and_little_memory(site: Node) -> None:
    turn = site.send("/silent")
    path = f"/messages/{turn['answer']}/events?after=0.0"
    with ExitStack() as stack:
        open_streams(stack, site, path, 20)  # every thread there will ever be has had something to do
        threads, sockets, before = site.count("threads"), site.count("sockets"), memory(site)
        open_streams(stack, site, path, IDLE)
        assert site.count("sockets") >= sockets + IDLE
        assert site.count("threads") <= threads
        assert connections(site) <= MOST_CONNECTIONS
        assert memory(site) - before < MOST_BYTES
        assert site.ask("POST", turn["stop_url"], {}, Accept="application/json").status == 204
    site.wait(lambda: site.count("sockets") <= sockets + MOST_CONNECTIONS)


def test_readers_that_vanish_without_closing_cost_neither_memory_nor_the_others_anything(site: Node) -> None:
    watch_near(site, site.send(WHOLE))  # what one answer takes by itself
    with link_to(site.port) as link, ExitStack() as stack:
        sockets, before = site.count("sockets"), memory(site)
        turn = site.send(f"/delay 2 {WHOLE}")
        open_streams(stack, Far(site, link), f"/messages/{turn['answer']}/events?after=0.0", GONE)
        link.cut()
        watch_near(site, turn)
        assert site.status_of(turn["answer"]) == "complete"
        assert memory(site) - before < MOST_BYTES
    site.wait(lambda: site.count("sockets") <= sockets + MOST_CONNECTIONS)


def watch_near(site: Node, turn: dict[str, Any]) -> None:
    for viewer in [Browser([site], turn), Program([site], turn)]:
        viewer.join()
        viewer.check(site)


class Far(Server):
    """The same process, at the other end of a link."""

    def __init__(self, site: Node, link: Link) -> None:
        super().__init__(site.data_dir)
        self.port, self.cookies = link.port, site.cookies


def test_a_reader_of_single_bytes_holds_up_nobody_and_is_given_the_whole_in_the_end(site: Node) -> None:
    turn = site.send(WHOLE)
    with site.stream(f"/messages/{turn['answer']}/events?after=0.0") as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        quick, read = Program([site], turn), b""
        while quick.is_alive():
            read += slow.recv(1)
            quick.wait(PAUSE)
        quick.join()
        quick.check(site)
        assert len(read) > SLOW_BYTES
        while piece := slow.recv(65536):
            read += piece
            if b"event: done" in read[-200:]:
                break
    assert read.rpartition(b"data: ")[2].startswith(b"complete")
    assert len(read) < 8 * len(quick.text)  # it skipped what nobody needs any more

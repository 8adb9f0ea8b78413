"""The web server beside clients that do not read, and at its end. Real Daphne in a process of its own, real sockets."""

import http.client
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from chatsite.kept_process import free_port

LIMIT = 10.0  # seconds any wait of these tests may take
STILL_SECONDS = 0.3  # a count that stays this long has stopped
KERNEL_BYTES = 16 * 1024 * 1024  # far above what the two kernel buffers of a loopback connection hold


class Site:
    def __init__(self) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.start.endless_site", str(self.port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self.process.stdout
        assert self.process.stdout.readline() == "up\n"

    def ask(self, path: str, extra: str = "") -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT)
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{extra}\r\n".encode())
        return client

    def counts(self) -> tuple[int, int]:
        """Return the bytes that endless responses have sent so far, and how many of them are open."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        connection.request("GET", "/sent")
        sent, still_open = connection.getresponse().read().split()
        connection.close()
        return int(sent), int(still_open)

    def bytes_once_still(self) -> int:
        """Return the count of bytes once it has stopped growing."""
        seen = [-1, self.counts()[0]]
        deadline = time.monotonic() + LIMIT
        while seen[-1] == 0 or seen[-1] != seen[-2]:
            assert time.monotonic() < deadline, f"still sending after {seen[-1]} bytes"
            wait_until(lambda: self.counts()[0] != seen[-1], STILL_SECONDS)
            seen.append(self.counts()[0])
        return seen[-1]


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.process.kill()
    site.process.communicate()


def wait_until(is_so: Callable[[], bool], limit: float = LIMIT) -> bool:
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if is_so():
            return True
    return False


UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"


@pytest.mark.parametrize("extra", ["", UPGRADE], ids=["http", "websocket"])
def test_a_client_that_reads_nothing_is_sent_no_more_than_its_buffers_hold(site: Site, extra: str) -> None:
    with site.ask("/endless", extra):
        assert wait_until(lambda: site.counts()[1] == 1)
        assert 0 < site.bytes_once_still() < KERNEL_BYTES


def test_a_client_that_reads_again_is_sent_more(site: Site) -> None:
    with site.ask("/endless") as client:
        before = site.bytes_once_still()
        taken = 0
        while taken < 2 * before:
            taken += len(client.recv(1 << 20))
        assert site.counts()[0] > before


def test_another_client_does_not_wait_for_one_that_reads_nothing(site: Site) -> None:
    with site.ask("/endless"):
        site.bytes_once_still()
        assert site.counts()[1] == 1  # it has answered, and the other response is still open


@pytest.mark.parametrize("extra", ["", UPGRADE], ids=["http", "websocket"])
def test_a_response_that_waits_for_its_client_ends_when_the_client_leaves(site: Site, extra: str) -> None:
    with site.ask("/endless", extra):
        site.bytes_once_still()
    assert wait_until(lambda: site.counts()[1] == 0)


def test_a_websocket_that_its_client_closes_is_closed(site: Site) -> None:
    with site.ask("/endless", UPGRADE) as client:
        assert b" 101 " in client.recv(1000)
        client.sendall(b"\x88\x80\0\0\0\0")  # a close frame (RFC 6455, 5.5.1)
        while client.recv(1 << 20):
            pass
    assert wait_until(lambda: site.counts()[1] == 0)


def test_a_connection_serves_its_next_request_after_a_stream(site: Site) -> None:
    with site.ask("/brief") as client:
        for _ in range(3):
            assert b"one,two" in read_to_end(client)
            client.sendall(b"GET /brief HTTP/1.1\r\nHost: localhost\r\n\r\n")


def test_sigterm_lets_an_open_response_finish_and_exits_with_0(site: Site) -> None:
    with site.ask("/last") as client:
        assert b"first," in client.recv(1000)
        site.process.send_signal(signal.SIGTERM)
        assert b"last" in client.recv(1000)
    assert site.process.communicate(timeout=LIMIT)[0] == "down\n"
    assert site.process.returncode == 0


def test_sigterm_sends_nobody_away_without_a_word(site: Site) -> None:
    """A page of a busy machine takes longer to begin than a stream may take to end."""
    with site.ask("/slow") as client:
        assert wait_until(lambda: site.counts() == (0, 0))  # the other one was asked before this, and is under way
        site.process.send_signal(signal.SIGTERM)
        with client.makefile("rb") as reply:
            assert b"slow" in reply.read()
    assert site.process.wait(LIMIT) == 0


def test_sigint_ends_a_response_that_would_not_end_without_a_traceback(site: Site) -> None:
    with site.ask("/endless"):
        assert wait_until(lambda: site.counts()[1] == 1)
        site.process.send_signal(signal.SIGINT)
        assert site.process.communicate(timeout=LIMIT)[0] == "down\n"


@pytest.mark.parametrize("line", [f"GET /{'x' * 20_000} HTTP/1.1", f"GET /sent HTTP/1.1\r\nCookie: {'x' * 20_000}"], ids=["path", "header"])
def test_a_line_that_is_too_long_is_refused_in_words(site: Site, line: str) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=LIMIT) as client:
        client.sendall(f"{line}\r\nHost: localhost\r\n\r\n".encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_the_server_does_not_tell_its_name(site: Site) -> None:
    with site.ask("/sent") as client:
        assert b"server:" not in client.recv(1000).lower()


def read_to_end(client: socket.socket) -> bytes:
    """Read one chunked response and return its body."""
    raw = b""
    while not raw.endswith(b"0\r\n\r\n"):
        raw += client.recv(1000)
    return b"".join(re.findall(rb"\r\n([a-z,]+)\r\n", raw))

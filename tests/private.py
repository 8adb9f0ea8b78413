"""Servers of a test's own, on free ports, which it may stop, kill and cut off: nobody else uses them."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from chatsite.kept_process import free_port

from .server import LIMIT

PIECE = 65536


def unprivileged() -> dict[str, str]:
    """PostgreSQL refuses to run as root; its packages bring a user for it."""
    return {"user": "postgres"} if os.geteuid() == 0 else {}


def program(name: str) -> str:
    """The path of a program of a server; Debian keeps those of PostgreSQL apart."""
    found = shutil.which(name) or max(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), default=None)
    assert found, f"{name} is not installed"
    return found


class PostgreSQL:
    """One cluster in a directory of its own, with an empty database."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.port = directory, free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def make(self) -> None:
        self.run("initdb", "-D", str(self.directory / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self.run("pg_ctl", "start", "-w", "-D", str(self.directory / "data"), "-l", str(self.directory / "log"), "-o", options)

    def stop(self, mode: str = "immediate") -> None:
        """`immediate` is as a crash: it goes without a word to its clients, and recovers at its next start."""
        self.run("pg_ctl", "stop", "-w", "-m", mode, "-D", str(self.directory / "data"))

    def run(self, name: str, *arguments: str) -> None:
        subprocess.run(
            [program(name), *arguments], cwd=self.directory, check=True, stdout=subprocess.DEVNULL, timeout=LIMIT, **unprivileged()
        )


@contextmanager
def private_postgresql() -> Iterator[PostgreSQL]:
    with tempfile.TemporaryDirectory(prefix="chatsite-postgresql-") as name:
        if owner := unprivileged().get("user"):
            shutil.chown(name, owner)
        server = PostgreSQL(Path(name))
        server.make()
        server.start()
        try:
            yield server
        finally:
            with suppress(subprocess.CalledProcessError):  # the test has stopped it
                server.stop()


class Redis:
    def __init__(self, directory: Path) -> None:
        self.directory, self.port = directory, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [program("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.directory)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_for_port(self.port)

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait(LIMIT)


@contextmanager
def private_redis(directory: Path) -> Iterator[Redis]:
    server = Redis(directory)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


class Link:
    """A way to a port that can be cut: then nothing passes, in either direction, and nobody is told; what was sent waits."""

    def __init__(self, port: int) -> None:
        self.target = port
        self._is_whole = threading.Event()
        self._is_whole.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._is_whole.clear()

    def heal(self) -> None:
        self._is_whole.set()

    def close(self) -> None:
        self.heal()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._join, args=[client], daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        self._is_whole.wait()
        with suppress(OSError):
            server = socket.create_connection(("127.0.0.1", self.target))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=[source, sink], daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with closing(source), closing(sink), suppress(OSError):
            while piece := source.recv(PIECE):
                self._is_whole.wait()
                sink.sendall(piece)


@contextmanager
def link_to(port: int) -> Iterator[Link]:
    link = Link(port)
    try:
        yield link
    finally:
        link.close()


def copy_database(source: str, target: str) -> None:
    """Copy what is in one database into another, empty one."""
    dump = subprocess.run([program("pg_dump"), "--no-owner", source], check=True, capture_output=True, timeout=LIMIT).stdout
    subprocess.run(
        [program("psql"), "-q", "-v", "ON_ERROR_STOP=1", "-d", target], input=dump, check=True, stdout=subprocess.DEVNULL, timeout=LIMIT
    )

"""The disk is full in the middle of an answer, on SQLite: a small file system of the test's own is filled to its last byte."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.server import Reply, Server
from tests.viewers import Browser, Program

SIZE = "32m"

type Fill = Callable[[Server], AbstractContextManager[None]]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Path, Fill]]:
    """A place, and what fills it. Only root may make a file system; without, no file of the process may grow."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)], capture_output=True, check=False).returncode:
        yield place, no_growth
        return
    try:
        yield place, lambda server: full(place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def no_growth(server: Server) -> Iterator[None]:
    free = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (1, free[1]))
    try:
        yield
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, free)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1):  # at the end each free byte
            try:
                while True:
                    file.write(os.urandom(1) * size)
            except OSError:
                continue
    try:
        yield
    finally:
        filler.unlink()


def prompt(server: Server) -> Reply:
    return server.ask("POST", "/conversations", {"prompt": "hello"}, Accept="application/json")


def test_an_answer_waits_for_room_on_the_disk_and_goes_on(disk: tuple[Path, Fill]) -> None:
    place, fill = disk
    with Server(place / "data").running() as server:
        turn = server.send("/rate 60 /long 8")
        viewers = [Browser([server], turn), Program([server], turn)]
        server.wait(lambda: all(len(viewer.history) > 3 for viewer in viewers))
        with fill(server):
            refused = server.wait(lambda: reply if (reply := prompt(server)).status != 201 else None)
            before = [len(viewer.history) for viewer in viewers]
            assert server.ask("GET", turn["url"]).status == 200
            assert server.status_of(turn["answer"]) == "running"
        for viewer in viewers:
            viewer.join()
            viewer.check(server)
        assert refused.json["error"]["code"] == "unavailable"
        assert all(len(viewer.history) > count for viewer, count in zip(viewers, before, strict=True))
        assert server.status_of(turn["answer"]) == "complete"
        assert server.wait_for_status(server.send("hello /rate 1000")["answer"], "complete")

"""The disk is full in the middle of an answer, on SQLite: a small file system of the test's own is filled to its last byte."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.server import Reply, Server
from tests.viewers import Browser, Program

SIZE = "32m"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(disk)], capture_output=True, check=False).returncode:
        pytest.skip("only root may make a file system that can be filled")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


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


def test_an_answer_waits_for_room_on_the_disk_and_goes_on(small_disk: Path) -> None:
    with Server(small_disk / "data").running() as server:
        turn = server.send("/rate 60 /long 8")
        viewers = [Browser([server], turn), Program([server], turn)]
        server.wait(lambda: all(len(viewer.history) > 3 for viewer in viewers))
        with full(small_disk):
            refused = server.wait(lambda: reply if (reply := prompt(server)).status != 201 else None)
            before = [len(viewer.history) for viewer in viewers]
            assert server.ask("GET", turn["url"]).status == 200
            assert server.status_of(turn["answer"]) == "running"
        for viewer in viewers:
            viewer.join()
            viewer.check(server)
        assert refused.json["error"]["code"] == "internal_error"
        assert all(len(viewer.history) > count for viewer, count in zip(viewers, before, strict=True))
        assert server.status_of(turn["answer"]) == "complete"
        assert server.wait_for_status(server.send("hello /rate 1000")["answer"], "complete")

"""Deploys while fifty answers stream: each process is ended in order and started again, and every viewer sees every answer to its end."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conversations.generation.ending import RESTARTED
from tests.cluster import Node, cluster
from tests.server import Server
from tests.viewers import Browser, Program, Viewer

pytestmark = pytest.mark.real_postgresql
ANSWERS = 25  # of each process
PATIENT, HURRIED = "30", "1"  # seconds of grace
SHORT, LONG = "/rate 40 /long 2", "/rate 40 /long 30"  # answers of about four seconds, and of one minute


def watcher(servers: list[Server], turn: dict[str, Any]) -> Viewer:
    return (Browser if turn["answer"] % 4 else Program)(servers, turn)


@contextmanager
def watched(servers: list[Server], count: int, prompt: str = SHORT) -> Iterator[list[Viewer]]:
    """Begin `count` answers on each of the servers and watch all of them through all of the servers, until their ends."""
    turns = [server.send(prompt) for server in servers for _ in range(count)]
    kinds = [Browser, Program] * len(turns)
    viewers = [
        kind([*servers[number % len(servers) :], *servers], turn) for number, (kind, turn) in enumerate(zip(kinds, turns, strict=False))
    ]
    servers[0].wait(lambda: all(viewer.visits for viewer in viewers))
    yield viewers
    for viewer in viewers:
        viewer.join()
    for viewer in viewers:
        viewer.check(servers[0])
        assert not viewer.refusals


def restart_all(nodes: list[Node], next_grace: str) -> None:
    """End one after the other, and start it again with another grace."""
    for node in nodes:
        assert node.terminate() == 0
        node.more["SHUTDOWN_GRACE_SECONDS"] = next_grace
        node.start()


def endings(server: Server) -> list[tuple[str, str]]:
    return [(status, sentence) for status, sentence in server.rows("SELECT DISTINCT status, error_sentence FROM conversations_generation")]


def test_a_rolling_restart_touches_no_answer_that_ends_within_the_grace_and_marks_the_others(tmp_path: Path) -> None:
    with cluster(tmp_path / "data", SHUTDOWN_GRACE_SECONDS=PATIENT) as nodes:
        with watched(nodes, ANSWERS):
            restart_all(nodes, HURRIED)
        assert endings(nodes[0]) == [("complete", "")]
        with watched(nodes, ANSWERS, LONG) as viewers:
            restart_all(nodes, HURRIED)
        assert set(endings(nodes[0])) == {("complete", ""), ("interrupted", RESTARTED)}
        assert any(viewer.visits > 1 for viewer in viewers)
        assert "Traceback" not in nodes[0].log


def test_processes_that_hup_replaces_finish_their_answers(tmp_path: Path) -> None:
    with cluster(tmp_path / "data", 1, WEB_PROCESSES="2", SHUTDOWN_GRACE_SECONDS=PATIENT, LOG_LEVEL="INFO") as (site,):
        with watched([site], 2 * ANSWERS):
            os.kill(site.pid, signal.SIGHUP)
            site.wait(lambda: "All 2 processes are replaced" in site.log)
        assert endings(site) == [("complete", "")]
        assert "Traceback" not in site.log

"""Two real processes on one PostgreSQL database: any of them shows, stops and takes over what the other one runs."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster import Node, cluster
from tests.generation.test_restart import read_text
from tests.services import REDIS_URL

pytestmark = pytest.mark.real_postgresql
ENDED = ("complete", "interrupted", "failed")
LAYERS = {"PostgreSQL alone": {}, "Redis": {"REDIS_URL": REDIS_URL}}


@pytest.fixture(params=[pytest.param(LAYERS[name], id=name, marks=[pytest.mark.redis] * (name == "Redis")) for name in LAYERS])
def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Node]]:
    with cluster(tmp_path / "data", **request.param) as nodes:
        yield nodes


def test_an_answer_streams_from_a_process_that_does_not_run_it(nodes: list[Node]) -> None:
    here, there = nodes
    turn = here.send("/rate 200 /long 3")
    with there.open("GET", turn["events_url"]) as response:
        shown = read_text(response, 10**9)
    ((text,),) = here.rows("SELECT text FROM conversations_message WHERE id = ?", turn["answer"])
    assert shown == text


def test_a_stop_by_another_process_reaches_a_silent_provider(nodes: list[Node]) -> None:
    here, there = nodes
    turn = here.send("/silent")
    here.wait_for_status(turn["answer"], "running")
    with here.open("GET", turn["events_url"]) as response:
        assert there.ask("POST", turn["stop_url"], {}, Accept="application/json").status == 204
        told = response.read().decode()
    assert json.loads(told.rpartition("data: ")[2])["status"] == "stopped"


def test_what_a_process_hands_over_at_its_end_another_one_runs(nodes: list[Node]) -> None:
    here, there = nodes
    turn = here.send("hello /delay 3 /rate 1000")
    here.wait_for_status(turn["answer"], "running")
    with there.open("GET", turn["events_url"]) as response:
        assert here.terminate() == 0
        shown = read_text(response, 10**9)
    assert shown
    assert there.status_of(turn["answer"]) == "complete"
    assert there.rows("SELECT attempt FROM conversations_generation") == [(2,)]


def test_kill_9_of_the_owner_is_told_to_a_page_that_another_process_serves(nodes: list[Node]) -> None:
    here, there = nodes
    turn = here.send("/rate 50 /long 50")
    with there.open("GET", turn["events_url"]) as response:
        shown = read_text(response, 300)
        here.kill()
        shown += read_text(response, 10**9)
    ((text,),) = there.rows("SELECT text FROM conversations_message WHERE id = ?", turn["answer"])
    assert len(shown) >= 300
    assert text == shown
    assert there.status_of(turn["answer"]) == "interrupted"


class WrongClock(Node):
    module = "tests.wrong_clock"


def test_processes_whose_clocks_are_an_hour_wrong_take_no_answer_and_lose_none(tmp_path: Path) -> None:
    """A lease is taken, kept and judged by the clock of the database: the answers outlive several rounds of all processes."""
    with cluster(tmp_path / "data", 1) as (right,), ExitStack() as stack:
        wrong = [WrongClock(right.data_dir, right.database_url, CLOCK_OFFSET=offset) for offset in ("3600", "-3600")]
        servers = [right, *(stack.enter_context(server.running()) for server in wrong)]
        turns = [server.send("/rate 100 /long 10") for server in servers]
        for turn in turns:
            assert right.wait_for_status(turn["answer"], *ENDED) == "complete"

"""Two real processes on one PostgreSQL database: any of them shows, stops and takes over what the other one runs."""

import functools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from tests.cluster import Node, cluster, new_database
from tests.generation.test_restart import read_text
from tests.services import REDIS_URL

pytestmark = pytest.mark.real_postgresql
ENDED = ("complete", "interrupted", "failed")
LAYERS = {"PostgreSQL alone": {}, "Redis": {"REDIS_URL": REDIS_URL}}
# Nobody looks by the clock for as long as a test waits: what comes, comes over the layer.
DEAF = {"HEARTBEAT_SECONDS": "600", "LEASE_SECONDS": "2000"}
QUICK = {"HEARTBEAT_SECONDS": "1", "LEASE_SECONDS": "7"}
ATTEMPT = "SELECT status, attempt FROM conversations_generation WHERE message_id = ?"
over_each_layer = pytest.mark.parametrize("layer", [pytest.param(name, marks=[pytest.mark.redis] * (name == "Redis")) for name in LAYERS])


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., list[Node]]]:
    """Two processes over a layer, made once for each way to set them up; who was ended runs again."""
    with ExitStack() as stack:

        @functools.cache
        def made(layer: str, **settings: str) -> list[Node]:
            return stack.enter_context(cluster(tmp_path_factory.mktemp("cluster") / "data", **LAYERS[layer], **settings))

        def revived(layer: str, **settings: str) -> list[Node]:
            for node in (nodes := made(layer, **settings)):
                node.start()
            return nodes

        yield revived


@pytest.fixture
def nodes(layer: str, clusters: Callable[..., list[Node]]) -> list[Node]:
    return clusters(layer, **DEAF)


@pytest.fixture
def quick_nodes(layer: str, clusters: Callable[..., list[Node]]) -> list[Node]:
    return clusters(layer, **QUICK)


@over_each_layer
def test_an_answer_streams_from_a_process_that_does_not_run_it(nodes: list[Node]) -> None:
    here, there = nodes
    turn = here.send("/rate 200 /long 3")
    with there.open("GET", turn["events_url"]) as response:
        shown = read_text(response, 10**9)
    ((text,),) = here.rows("SELECT text FROM conversations_message WHERE id = ?", turn["answer"])
    assert shown == text


@over_each_layer
def test_a_tool_is_approved_in_a_process_that_does_not_run_the_answer(layer: str, clusters: Callable[..., list[Node]]) -> None:
    here, there = clusters(layer, **DEAF, TOOLS_NEED_APPROVAL="calculator")
    turn = here.send('/tool calculator {"expression":"6*7"} /rate 400')
    with there.open("GET", turn["events_url"]) as response:
        while (line := response.readline()) and b"event: tool_start" not in line:
            pass
        reply = there.ask("POST", f"/messages/{turn['answer']}/calls/1/approve", {}, Accept="application/json")
        assert reply.status == 204
        assert "> 42" in read_text(response, 10**9)
    assert here.wait_for_status(turn["answer"], *ENDED) == "complete"


@over_each_layer
def test_a_stop_by_another_process_reaches_a_silent_provider(nodes: list[Node]) -> None:
    turn = nodes[0].send("/silent")
    nodes[0].wait_for_status(turn["answer"], "running")
    owner, there = sorted(nodes, key=lambda node: not node.owns(turn["answer"]))
    with owner.open("GET", turn["events_url"]) as response:
        assert there.ask("POST", turn["stop_url"], {}, Accept="application/json").status == 204
        told = response.read().decode()
    assert json.loads(told.rpartition("data: ")[2])["status"] == "stopped"


@over_each_layer
def test_what_a_process_hands_over_at_its_end_another_one_runs(nodes: list[Node]) -> None:
    turn = nodes[0].send("/silent")
    nodes[0].wait_for_status(turn["answer"], "running")
    owner, there = sorted(nodes, key=lambda node: not node.owns(turn["answer"]))
    with there.open("GET", turn["events_url"]) as response:
        assert owner.terminate() == 0
        there.wait(lambda: there.rows(ATTEMPT, turn["answer"]) == [("running", 2)])
        assert there.ask("POST", turn["stop_url"], {}, Accept="application/json").status == 204
        assert json.loads(response.read().decode().rpartition("data: ")[2])["status"] == "stopped"


@over_each_layer
def test_kill_9_of_the_owner_is_told_to_a_page_that_another_process_serves(quick_nodes: list[Node]) -> None:
    turn = quick_nodes[0].send("/rate 50 /long 50")
    quick_nodes[0].wait_for_status(turn["answer"], "running")
    owner, there = sorted(quick_nodes, key=lambda node: not node.owns(turn["answer"]))
    with there.open("GET", turn["events_url"]) as response:
        shown = read_text(response, 300)
        owner.kill()
        shown += read_text(response, 10**9)
    ((text,),) = there.rows("SELECT text FROM conversations_message WHERE id = ?", turn["answer"])
    assert len(shown) >= 300
    assert text == shown
    assert there.status_of(turn["answer"]) == "interrupted"


# Names that stand before PostgreSQL's own, so that its clock can be set.
CLOCK = """
CREATE SCHEMA clock;
CREATE TABLE clock.ahead AS SELECT interval '0' AS by;
CREATE FUNCTION clock.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS
    'SELECT pg_catalog.statement_timestamp() + by FROM clock.ahead';
"""


def test_a_jump_of_the_clock_that_leases_count_by_takes_no_answer_from_who_runs_it(tmp_path: Path) -> None:
    with new_database() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(CLOCK)
            connection.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET search_path = clock, pg_catalog, public".encode())
        with cluster(tmp_path / "data", database_url=url) as nodes:  # a short lease runs out where the machine is busy
            turns = [node.own_turn("/rate 60 /long 10") for node in nodes]
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("UPDATE clock.ahead SET by = interval '1 hour'")
            for turn in turns:
                assert nodes[0].wait_for_status(turn["answer"], *ENDED) == "complete"
                assert nodes[0].rows(ATTEMPT, turn["answer"]) == [("complete", 1)]


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

"""What a site stands on goes away in the middle of answers: PostgreSQL, Redis, the network. Answers wait, nothing is lost."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from conversations.rendering.fragments import WAITING
from tests.cluster import Node, cluster, new_database, prepared_cluster, url_of
from tests.private import PostgreSQL, copy_database, link_to, private_postgresql, private_redis
from tests.server import Server
from tests.viewers import Browser, Program, Viewer

pytestmark = pytest.mark.real_postgresql
LONG = "/rate 60 /long 8"  # some eight seconds
ENDLESS = "/rate 60 /long 60"  # a minute: it is cut off before
ENDED = ("complete", "interrupted", "failed")
TRACEBACKS = 8  # in the log of two processes: one for each kind of error, not one for each try
ATTEMPTS = """
SELECT usage.attempt, count(*) FROM conversations_usage AS usage
JOIN conversations_generation AS generation ON generation.id = usage.generation_id
WHERE generation.message_id = ANY(?) GROUP BY usage.attempt
"""
FOUND_SECONDS = 10  # after which a server that is back is used again, however long it was away


@contextmanager
def watched(begun_at: list[Node], servers: list[Node], prompt: str = LONG) -> Iterator[list[Viewer]]:
    """An answer of each process, watched by a page and a program; they have been shown something when this begins."""
    turns = [server.send(prompt) for server in begun_at]
    viewers = [kind(servers[at:] + servers[:at], turn) for at, turn in enumerate(turns) for kind in (Browser, Program)]
    servers[0].wait(lambda: all(len(viewer.history) > 3 for viewer in viewers))
    yield viewers
    for viewer in viewers:
        viewer.join()
    for viewer in viewers:
        viewer.check(servers[0])


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    with private_postgresql() as server:
        copy_database(url_of(prepared_cluster()[1]), server.url)
        yield server


def statuses(server: Server) -> list[tuple[Any, ...]]:
    return server.rows("SELECT status FROM conversations_generation ORDER BY id")


@pytest.mark.own_postgresql
def test_answers_wait_while_postgresql_restarts_and_a_prompt_is_refused_in_words(postgresql: PostgreSQL, tmp_path: Path) -> None:
    with cluster(tmp_path / "data", database_url=postgresql.url) as nodes:
        with watched(nodes, nodes) as viewers:
            postgresql.stop()
            refused = nodes[0].ask("POST", "/conversations", {"prompt": "hello"}, Accept="application/json")
            fragment = nodes[1].ask("POST", "/conversations", {"prompt": "hello"}, HX_Request="true")
            page = nodes[1].ask("GET", "/")
            nodes[0].wait(lambda: all(WAITING in str(viewer.history) for viewer in viewers if isinstance(viewer, Browser)))
            postgresql.start()
            back = time.monotonic()
            assert nodes[0].wait(lambda: nodes[0].ask("GET", "/").status == 200)
            assert time.monotonic() - back < FOUND_SECONDS
        assert [nodes[0].status_of(viewer.turn["answer"]) for viewer in viewers] == ["complete"] * 4
        assert (refused.status, refused.json["error"]["code"], refused.headers["Retry-After"]) == (503, "unavailable", "5")
        assert b"try again in a moment" in fragment.body
        assert (page.status, b"The database cannot be used just now" in page.body) == (503, True)
        assert not any(WAITING in viewer.page.root.html() for viewer in viewers if isinstance(viewer, Browser))
        assert nodes[0].log.count("Traceback") <= TRACEBACKS
        turn = nodes[1].send("hello /rate 1000")
        assert nodes[0].wait_for_status(turn["answer"], *ENDED) == "complete"
        assert nodes[0].rows("SELECT count(*) FROM conversations_message WHERE role = 'user' AND text = 'hello'") == [(0,)]


@pytest.mark.own_postgresql
def test_a_process_ends_while_postgresql_is_away_and_its_answer_is_marked_afterwards(postgresql: PostgreSQL, tmp_path: Path) -> None:
    with cluster(tmp_path / "data", 1, database_url=postgresql.url) as (node,), watched([node], [node]) as viewers:
        postgresql.stop()
        try:
            assert node.terminate() == 0
        finally:
            postgresql.start()
        node.start()
        assert node.wait_for_status(viewers[0].turn["answer"], *ENDED) == "interrupted"


@pytest.mark.own_redis
def test_answers_go_on_while_redis_is_away_and_wake_ups_come_back_with_it(tmp_path: Path) -> None:
    with private_redis(tmp_path) as server, cluster(tmp_path / "data", REDIS_URL=server.url) as nodes:
        here, there = nodes
        wait_for_ears(here, server.port)
        with watched(nodes, [there, here]):
            server.kill()
            meanwhile = here.send("hello /rate 1000")
            assert there.wait_for_status(meanwhile["answer"], *ENDED) == "complete"
        assert statuses(here) == [("complete",)] * 3
        server.start()
        wait_for_ears(here, server.port)


def wait_for_ears(node: Node, port: int) -> None:
    """Wait until both processes listen."""
    with redis.Redis(port=port) as client:
        node.wait(lambda: 2 in dict(client.pubsub_numsub(*client.pubsub_channels("*"))).values())


def test_an_owner_that_is_cut_off_writes_nothing_into_what_another_one_has_taken_over(tmp_path: Path) -> None:
    """It comes back after the end, with what it had to write; all viewers have seen, or see then, what is kept."""
    with new_database() as url, link_to(port_of(url)) as link, cluster(tmp_path / "data", 1, database_url=url) as (there,):
        cut_off = Node(there.data_dir, url, DATABASE_URL=url.replace(f":{port_of(url)}/", f":{link.port}/"))
        with cut_off.running():
            cut_off.own_turn("hello /rate 1000")  # it is warm now, and takes its own answers before another one finds them
            with (
                watched([cut_off], [cut_off, there], ENDLESS) as here_viewers,
                watched([cut_off], [there, cut_off], ENDLESS) as viewers,
            ):
                answers = {viewer.turn["answer"] for viewer in here_viewers + viewers}
                link.cut()
                for answer in answers:
                    assert there.wait_for_status(answer, *ENDED) == "interrupted"
                kept = texts(there)
                link.heal()
                cut_off.wait(lambda: "owned by another process now" in cut_off.log)
            assert texts(there) == kept
            assert there.rows("SELECT count(*) FROM conversations_journalentry") == [(0,)]
            assert there.rows(ATTEMPTS, sorted(answers)) == [(1, 2)]
            assert cut_off.ask("GET", "/").status == 200


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2].partition("/")[0])


def texts(server: Server) -> list[tuple[Any, ...]]:
    return server.rows("SELECT id, text FROM conversations_message ORDER BY id")

"""WEB_PROCESSES: several real processes on one socket, and those beside it that only run answers."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from chatsite.kept_process import free_port
from tests.cluster import Node, cluster
from tests.generation.test_restart import read_text
from tests.server import LIMIT, ROOT, Server, prepared_site
from tests.server import environment as site_environment

pytestmark = pytest.mark.real_postgresql


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Node]:
    with cluster(tmp_path / "data", 1, WEB_PROCESSES="2", LOG_LEVEL="INFO") as (site,):
        site.wait(lambda: len(children(site)) == 2 and listening(site) == 2)
        yield site


def children(site: Server) -> list[int]:
    """The processes of the site, as the system knows them."""
    return [int(pid) for pid in Path(f"/proc/{site.pid}/task/{site.pid}/children").read_text().split()]


def listening(site: Node) -> int:
    """How many processes have come up so far as to hear of the others."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND starts_with(query, 'LISTEN')"
    return int(site.rows(query)[0][0])


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def asked_all_the_time(site: Server) -> Iterator[list[int]]:
    """The status of each request, one after the other, each on a connection of its own; 0 for one that was refused."""
    statuses: list[int] = []
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            try:
                statuses.append(site.ask("GET", "/").status)
            except OSError:
                statuses.append(0)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield statuses
    finally:
        is_over.set()
        asking.join()


def test_hup_replaces_every_process_and_refuses_nobody(site: Node) -> None:
    before = children(site)
    with asked_all_the_time(site) as statuses:
        os.kill(site.pid, signal.SIGHUP)
        site.wait(lambda: "All 2 processes are replaced" in site.log)
    assert set(children(site)).isdisjoint(before)
    assert len(children(site)) == 2
    assert set(statuses) == {200}


def test_code_that_needs_another_database_replaces_nobody(site: Node) -> None:
    before = children(site)
    with psycopg.connect(site.database_url) as connection:
        newest = "SELECT max(name) FROM django_migrations WHERE app = 'conversations'"
        connection.execute(f"DELETE FROM django_migrations WHERE app = 'conversations' AND name = ({newest})".encode())
    os.kill(site.pid, signal.SIGHUP)
    site.wait(lambda: "does not come up: the old ones go on" in site.log)
    assert "is older than this code" in site.log
    assert children(site) == before
    assert site.ask("GET", "/").status == 200


def test_a_process_that_dies_is_started_again(site: Node) -> None:
    first, second = children(site)
    os.kill(first, signal.SIGKILL)
    site.wait(lambda: len(children(site)) == 2 and first not in children(site))
    assert second in children(site)
    assert site.ask("GET", "/").status == 200


def test_term_ends_all_of_them_in_order(site: Node) -> None:
    processes = children(site)
    turn = site.send("/rate 50 /long 4000")
    site.wait_for_status(turn["answer"], "running")
    assert site.terminate() == 0
    assert not any(is_alive(pid) for pid in processes)
    assert site.status_of(turn["answer"]) in ("interrupted", "queued")
    assert "Traceback" not in site.log


def test_the_processes_end_when_the_one_that_started_them_is_killed(site: Node) -> None:
    processes = children(site)
    site.kill()
    site.wait(lambda: not any(is_alive(pid) for pid in processes))


def test_a_process_whose_parent_dies_before_it_is_up_ends(tmp_path: Path) -> None:
    data_dir = Path(shutil.copytree(prepared_site(), tmp_path / "data"))
    line, lost = socket.socketpair()
    with line, socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        lost.close()
        command = [sys.executable, "-m", "chatsite", "serve", "--socket", str(listening.fileno())]
        settings = site_environment(data_dir)
        process = subprocess.Popen(command, cwd=ROOT, env=settings, stdin=line.fileno(), pass_fds=[listening.fileno()])
        assert process.wait(LIMIT) == 0


def test_several_processes_without_a_layer_between_them_are_refused_with_a_remedy(tmp_path: Path) -> None:
    said = sentence_of(tmp_path, WEB_PROCESSES="2")
    assert "REDIS_URL" in said
    assert "PostgreSQL" in said


def test_a_second_process_on_the_same_sqlite_file_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with Server(tmp_path / "data").running() as site:
        assert "REDIS_URL" in sentence_of(site.data_dir)


class Uvicorn(Server):
    """The site under a server that is not ours."""

    module = "uvicorn"

    def start(self) -> None:
        self.command = ("chatsite.asgi:application", "--port", str(self.port), "--lifespan", "off")
        super().start()


def test_under_another_server_too_a_process_of_an_sqlite_file_is_alone(tmp_path: Path) -> None:
    with Uvicorn(tmp_path / "data").running() as site:
        said = sentence_of(site.data_dir)
        assert "REDIS_URL" in said
        assert sentence_of(site.data_dir, "uvicorn", "chatsite.asgi:application", "--port", str(free_port())) == said


@pytest.mark.parametrize("url", ["redis://127.0.0.1:9/0", "redis://nobody.invalid:6379/0"])
def test_a_redis_that_does_not_answer_is_said_at_once(tmp_path: Path, url: str) -> None:
    data_dir = shutil.copytree(prepared_site(), tmp_path / "data")
    assert "REDIS_URL" in sentence_of(data_dir, REDIS_URL=url)


def sentence_of(data_dir: Path, *command: str, **environment: str) -> str:
    """What a start that is refused says; of processes that run answers, where no other is named."""
    settings = site_environment(data_dir) | environment
    start = [sys.executable, "-m", *(command or ("chatsite", "generate"))]
    done = subprocess.run(start, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


class Generator(Node):
    """`manage.py generate` in place of `serve`."""

    command = ("generate",)

    def answers(self) -> bool:
        return "Running answers." in self.log

    def log_in(self) -> None:
        """It serves nothing."""


def test_answers_run_in_processes_of_their_own_and_a_restart_of_the_web_does_not_touch_them(tmp_path: Path) -> None:
    with cluster(tmp_path / "data", 1, GENERATE_IN="dedicated", LOG_LEVEL="INFO") as (web,):
        turn = web.send("/rate 100 /long 6")
        assert web.status_of(turn["answer"]) == "queued"
        with Generator(web.data_dir, web.database_url, LOG_LEVEL="INFO").running() as generator:
            with web.open("GET", turn["events_url"]) as response:
                shown = read_text(response, 200)
            web.terminate()
            web.start()
            assert web.wait_for_status(turn["answer"], "complete", "interrupted", "failed") == "complete"
            ((text,),) = web.rows("SELECT text FROM conversations_message WHERE id = ?", turn["answer"])
            assert text.startswith(shown)
            waiting = web.send("/silent")
            web.wait_for_status(waiting["answer"], "running")
            assert web.ask("POST", waiting["stop_url"], {}, Accept="application/json").status == 204
            assert web.wait_for_status(waiting["answer"], "stopped") == "stopped"
            assert generator.terminate() == 0

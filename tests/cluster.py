"""Several real `manage.py serve` processes on one PostgreSQL database of their own, as behind a balancer without sticky sessions."""

import atexit
import functools
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from .server import ROOT, SETUP, Server, environment
from .services import HERE, POSTGRESQL_URL


def url_of(database: str) -> str:
    return urlunsplit(urlsplit(POSTGRESQL_URL)._replace(path=f"/{database}"))


def on_server(statement: str) -> None:
    with psycopg.connect(POSTGRESQL_URL, autocommit=True) as connection:
        connection.execute(statement.encode())


@functools.cache
def prepared_cluster() -> tuple[Path, str]:
    """A data directory and the name of a database with the tables, the demo and the account `admin`, made once."""
    data_dir, name = HERE / "prepared-cluster", f"chatsite_test_{token_hex(4)}"
    on_server(f"CREATE DATABASE {name}")
    atexit.register(on_server, f"DROP DATABASE {name} WITH (FORCE)")
    data_dir.mkdir()
    settings = environment(data_dir) | {"DATABASE_URL": url_of(name)}
    subprocess.run([sys.executable, "-c", SETUP], cwd=ROOT, env=settings, check=True, capture_output=True)
    return data_dir, name


@contextmanager
def new_database() -> Iterator[str]:
    """The URL of a copy of the prepared database, dropped afterwards."""
    name = f"chatsite_test_{token_hex(4)}"
    on_server(f"CREATE DATABASE {name} TEMPLATE {prepared_cluster()[1]}")
    try:
        yield url_of(name)
    finally:
        on_server(f"DROP DATABASE {name} WITH (FORCE)")


class Node(Server):
    """One process of a cluster. It shares the data directory, and so the secret key and the log, with the others."""

    def __init__(self, data_dir: Path, database_url: str, **environment: str) -> None:
        super().__init__(data_dir)
        self.database_url = database_url
        self.more = {"DATABASE_URL": database_url, **environment}

    def prepare(self) -> None:
        """The cluster is prepared once, not by each of its processes."""

    def owns(self, answer: int) -> bool:
        """Whichever looks first takes an answer: one that has just started is still busy with its imports."""
        return bool(self.rows("SELECT 1 FROM conversations_generation WHERE message_id = ? AND owner LIKE ?", answer, f"%:{self.pid}:%"))

    def own_turn(self, prompt: str) -> dict[str, Any]:
        """Send until it is this very process that runs the answer: it has looked around by then."""
        while True:
            turn = self.send(prompt)
            self.wait_for_status(turn["answer"], "running", "complete")
            if self.owns(turn["answer"]):
                return turn

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query.replace("?", "%s").encode(), parameters).fetchall()


@contextmanager
def cluster(
    directory: Path, processes: int = 2, *, kind: type[Node] = Node, database_url: str = "", **environment: str
) -> Iterator[list[Node]]:
    """So many processes, all used by the same person, on a copy of the prepared database or on one that the test has made of it."""
    with ExitStack() as stack:
        url = database_url or stack.enter_context(new_database())
        shutil.copytree(prepared_cluster()[0], directory)
        nodes = [kind(directory, url, **environment) for _ in range(processes)]
        for node in nodes:
            stack.callback(node.put_away)
            node.launch()
        for node in nodes:
            stack.enter_context(node.running())
        yield nodes

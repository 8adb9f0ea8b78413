"""kill -9 of the owner at random moments, each time while answers are silent, begin, think, are in their middle or end.

KILLS is the number of kills for each database (6), KILLS_SEED repeats a run: it is printed when one fails.
"""

import os
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import cluster
from tests.server import Server
from tests.viewers import Browser, Program, Viewer

KILLS = int(os.environ.get("KILLS", "6"))
SEED = int(os.environ.get("KILLS_SEED", str(random.SystemRandom().randrange(10**9))))
PROMPTS = (
    "/rate 200 /long 4",
    "/delay 0.7 /rate 300 /long 2",
    "/think /rate 60 /long 1",
    "hello /rate 400",
    "/rate 40 /long 1 /pause 0.6",
    "/delay 2 /rate 2000",
)
CLAIMED_SECONDS = 15
CLAIMED = 0.8  # of the kills come when an answer has been taken
ENDED = ("complete", "interrupted", "failed")


@pytest.fixture(params=["SQLite", pytest.param("PostgreSQL", marks=pytest.mark.real_postgresql)])
def servers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sequence[Server]]:
    with ExitStack() as stack:
        if request.param == "SQLite":
            yield [stack.enter_context(Server(tmp_path / "data").running())]
        else:
            yield stack.enter_context(cluster(tmp_path / "data"))


class Story:
    """What was begun, who watched it, and which process was killed when."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self.servers, self.chance = servers, random.Random(SEED)
        self.turns: dict[int, str] = {}
        self.viewers: list[Viewer] = []
        self.orphans: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)  # attempt and moment of each owner's death
        self.deaths: list[float] = []

    def go_on(self, victim: Server) -> None:
        """Begin answers, let a random time pass, and kill."""
        begun = []
        for prompt in PROMPTS:
            turn = victim.send(prompt)
            begun.append(turn["answer"])
            self.turns[turn["answer"]] = prompt
            self.viewers.append(self.chance.choice([Browser, Program])(self.servers, turn))
        if self.chance.random() < CLAIMED:
            victim.wait_for_status(begun[0], "running", *ENDED)  # a process that has just started may take a while to take any
        time.sleep(self.chance.uniform(0, 1.5))  # what is tested is that it does not matter how long
        pid = victim.pid
        victim.kill()
        self.deaths.append(time.time())
        self.note_orphans(pid)
        victim.start()

    def note_orphans(self, pid: int) -> None:
        rows = self.servers[0].rows(
            "SELECT message_id, attempt FROM conversations_generation WHERE status = 'running' AND owner LIKE ?", f"%:{pid}:%"
        )
        for answer, attempt in rows:
            self.orphans[answer].append((attempt, self.deaths[-1]))


def test_kill_9_at_any_moment_loses_nothing_that_was_shown_and_bills_nothing_twice(servers: Sequence[Server]) -> None:
    print(f"KILLS_SEED={SEED}")
    story = Story(servers)
    for number in range(KILLS):
        story.go_on(servers[number % len(servers)])
    for viewer in story.viewers:
        viewer.join()
    for viewer in story.viewers:
        viewer.check(servers[0])
        assert not viewer.refusals
    assert story.orphans
    for answer, prompt in story.turns.items():
        check(story, answer, prompt)
    assert servers[0].rows("SELECT count(*) FROM conversations_journalentry") == [(0,)]


def check(story: Story, answer: int, prompt: str) -> None:
    server = story.servers[0]
    ((status, last, claimed, kept),) = server.rows(
        "SELECT g.status, g.attempt, g.started_at, p.text FROM conversations_generation g "
        "JOIN conversations_message a ON a.id = g.message_id JOIN conversations_message p ON p.id = a.parent_id WHERE a.id = ?",
        answer,
    )
    assert (kept, status in ENDED) == (prompt, True)
    ran = last - (status != "complete")  # who marks what a dead owner left asks no provider
    billed = server.rows(
        "SELECT u.attempt FROM conversations_usage u JOIN conversations_generation g ON g.id = u.generation_id "
        "WHERE g.message_id = ? ORDER BY 1",
        answer,
    )
    assert billed == [(attempt,) for attempt in range(1, ran + 1)]
    for attempt, death in story.orphans[answer]:
        was_left_in_peace = not any(death < another < seconds(claimed) for another in story.deaths)
        if attempt == last - 1 and was_left_in_peace:
            assert seconds(claimed) - death < CLAIMED_SECONDS


def seconds(moment: Any) -> float:
    """SQLite gives text in UTC."""
    found = datetime.fromisoformat(moment).replace(tzinfo=UTC) if isinstance(moment, str) else moment
    return float(found.timestamp())

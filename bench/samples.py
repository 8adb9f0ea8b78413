"""What a site holds at a moment, as the system and its database show it, and whether it holds more and more.

Its asyncio tasks cannot be seen from outside, and no door is made for that: one that is never ended holds memory, a socket or a row.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psycopg

from .meter import read, total
from .report import columns
from .site import Site

JOURNAL = "SELECT count(*) FROM conversations_journalentry"
LIVE = "SELECT count(*) FROM conversations_generation WHERE status IN ('queued', 'running')"
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


class Tolerance(NamedTuple):
    """How much more than before is no growth: a share of it, and so many."""

    share: float
    more: float


TOLERANCES = {
    "memory, MiB": Tolerance(0.05, 8),  # anonymous: without mapped files, of which the SQLite file is one
    "threads": Tolerance(0, 2),
    "sockets": Tolerance(0.1, 10),
    "other descriptors": Tolerance(0, 5),
    "database connections": Tolerance(0, 3),
    "journal rows": Tolerance(0.2, 100),
}
HEAD = ("what", "2nd quarter", "last quarter", "may be", "grows")

type Sample = dict[str, float]


class Comparison(NamedTuple):
    what: str
    before: float
    after: float
    limit: float

    @property
    def grows(self) -> bool:
        return self.after > self.limit

    def row(self) -> tuple[str, ...]:
        return (self.what, f"{self.before:.0f}", f"{self.after:.0f}", f"{self.limit:.0f}", "GROWS" if self.grows else "no")


def sample(site: Site, pid: int) -> Sample:
    sockets, others = descriptors(pid)
    found = {
        "memory, MiB": total(pid, anonymous_mib),
        "threads": total(pid, lambda process: len(list(Path(f"/proc/{process}/task").iterdir()))),
        "sockets": sockets,
        "other descriptors": others,
        "journal rows": count(site, JOURNAL),
    }
    return found | ({"database connections": count(site, CONNECTIONS)} if site.database_url else {})


def anonymous_mib(process: int) -> float:
    lines = read(Path(f"/proc/{process}/status")).splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon:")), 0.0)


def descriptors(pid: int) -> tuple[float, float]:
    """Return how many sockets, and how many other things, the process and its children hold open."""

    def count_in(process: int, of_sockets: bool) -> int:
        return sum(is_socket(each) == of_sockets for each in Path(f"/proc/{process}/fd").iterdir())

    return total(pid, lambda process: count_in(process, True)), total(pid, lambda process: count_in(process, False))


def is_socket(descriptor: Path) -> bool:
    try:
        return str(descriptor.readlink()).startswith("socket:")
    except OSError:
        return False


def count(site: Site, query: str) -> int:
    """Ask the site's database from outside, on a connection that is closed again."""
    if site.database_url:
        with psycopg.connect(site.database_url) as connection:
            row = connection.execute(query.encode()).fetchone()
    else:
        with closing(sqlite3.connect(f"file:{site.sqlite_file}?mode=ro", uri=True, timeout=20)) as connection:
            row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def comparisons(samples: Sequence[Mapping[str, float]]) -> list[Comparison]:
    """Compare the medians of the second and the last quarter; the first one is the site's to warm up."""
    quarter = max(1, len(samples) // 4)
    early, late = samples[quarter : 2 * quarter] or samples, samples[-quarter:]
    found = []
    for what in samples[0]:
        before, after = (median(each[what] for each in part) for part in (early, late))
        tolerance = TOLERANCES[what]
        found.append(Comparison(what, before, after, before * (1 + tolerance.share) + tolerance.more))
    return found


def table(found: Sequence[Comparison]) -> str:
    return columns([HEAD, *(each.row() for each in found)])

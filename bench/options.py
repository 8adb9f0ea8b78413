"""What a call of `python -m bench` asks for."""

import argparse
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .cases import CAPACITY, CASES, GROWTH, MORE_CASES, WARM_UP, Case
from .latencies import MODELS
from .long_tasks import MODEL as LONG_ANSWER
from .stage import SAME_SITE, SERVERS

TABLES = ("capacity", "growth", "latencies", "large")
QUICK = ("site", "sketch", "limit")
GROWING = {"viewers per answer": "viewers", "tokens per answer": "tokens", "turns before": "history"}


def parser(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [*(case.name for case in (*CASES, *MORE_CASES)), *TABLES]
    parser.add_argument("--only", action="append", choices=names, help="only this case or table; may be given again")
    parser.add_argument(
        "--server", action="append", choices=SERVERS, help="only this one; json: the site's stream for programs; uvicorn: the site under it"
    )
    parser.add_argument("--all", action="store_true", help="every case on every server, and every table")
    parser.add_argument("--streams", type=int, help="people at once, in every case chosen")
    parser.add_argument("--rate", type=int, help="tokens per second of each stream")
    parser.add_argument("--tokens", type=int, help="tokens of each answer")
    parser.add_argument("--tries", type=int, default=40, help="of each latency; five at most of those that take seconds")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each case on each server, in turn; medians are printed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures of all runs")
    parser.add_argument(
        "--database-url", default="", help="an empty PostgreSQL database for `site`, in place of SQLite; rows are left in it"
    )
    return parser


class Call:
    """The cases, tables and servers of a call."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        wanted: Collection[str] = options.only or [case.name for case in CASES + (MORE_CASES if options.all else ())]
        self.tables = TABLES if options.all and not options.only else [name for name in TABLES if name in wanted]
        self.cases = [self._given(case) for case in (*CASES, *MORE_CASES) if case.name in wanted]
        self.capacity = [self._given(case) for case in (CAPACITY[:1] if options.streams else CAPACITY)] if "capacity" in self.tables else []
        self.growth = {what: [self._given(case, GROWING[what]) for case in cases] for what, cases in GROWTH.items()}
        if "growth" not in self.tables:
            self.growth = {}

    def _given(self, case: Case, growing: str = "") -> Case:
        """Return the case with what the call says of it, but for what grows."""
        named = {name: getattr(self._options, name) for name in ("streams", "rate", "tokens") if name != growing}
        return replace(case, **{name: value for name, value in named.items() if value})

    def servers(self, default: Sequence[str]) -> list[str]:
        """Return the servers asked for; without any, these."""
        return list(self._options.server or default)

    @property
    def case_servers(self) -> list[str]:
        every = [name for name in SERVERS if name not in SAME_SITE]
        return self.servers(every if self._options.all else QUICK)

    def every_case(self) -> list[Case]:
        return [WARM_UP, *self.cases, *self.capacity, *(case for cases in self.growth.values() for case in cases)]

    def order(self, provider_url: str) -> dict[str, Any]:
        """Return what a site has to be filled with (bench/prepare.py)."""
        cases = self.every_case()
        histories: dict[int, int] = {}
        for case in cases:
            if case.history:
                histories[case.history] = max(case.streams, histories.get(case.history, 0))
        models = dict.fromkeys([*(case.model_id for case in cases), *MODELS, LONG_ANSWER])
        return {"provider": provider_url, "models": list(models), "people": max(case.streams for case in cases), "histories": histories}

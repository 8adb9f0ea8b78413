"""`python -m bench`: the site and the bare sketch under the same load, in the same call, one after the other.

Runs on the loopback with a fake provider and a database of its own, and ends all it started, also on Ctrl-C.
"""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from .cases import CASES, WARM_UP, Case
from .measure import measure
from .report import middle, table
from .servers import Server, Site, prepare_site, run_provider, run_sketch


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=[case.name for case in CASES], help="only this case; may be given again")
    parser.add_argument(
        "--server", action="append", choices=["site", "json", "sketch"], help="only this one; json: the site's stream for programs"
    )
    parser.add_argument("--streams", type=int, help="people at once, in every case chosen")
    parser.add_argument("--rate", type=int, help="tokens per second of each stream")
    parser.add_argument("--tokens", type=int, help="tokens of each answer")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each case on each server, in turn; medians are printed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures of all runs")
    parser.add_argument("--database-url", default="", help="an empty PostgreSQL database in place of SQLite; rows are left in it")
    return parser.parse_args()


def chosen_cases(options: argparse.Namespace) -> list[Case]:
    given = {name: getattr(options, name) for name in ("streams", "rate", "tokens") if getattr(options, name)}
    return [replace(case, **given) for case in CASES if not options.only or case.name in options.only]


@contextmanager
def run_server(name: str, site: Site, provider_url: str) -> Iterator[Server]:
    with run_sketch(provider_url) if name == "sketch" else site.run() as server:
        yield server


def run_cases(cases: list[Case], servers: list[str], repeat: int, site: Site, provider_url: str) -> Iterator[dict[str, Any]]:
    """Yield the figures of each run. Each begins with a new server, so that memory counts from the same point."""
    for case in cases:
        for _ in range(repeat):
            for name in servers:
                with run_server(name, site, provider_url) as server:
                    figures = asyncio.run(measure(server, case, "json" if name == "json" else "html"))
                print(table([figures]).splitlines()[1], *figures["failures"][:3], sep="\n  ", file=sys.stderr, flush=True)
                yield figures


def medians(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for run in runs:
        groups.setdefault((run["case"]["name"], run["server"]), []).append(run)
    return [middle(group) for group in groups.values()]


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = arguments()
    cases = chosen_cases(options)
    model_ids = list(dict.fromkeys(case.model_id for case in [WARM_UP, *cases]))
    people = max(case.streams for case in [WARM_UP, *cases])
    database = {"DATABASE_URL": options.database_url} if options.database_url else {}
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, run_provider() as (provider_url, _):
        site = prepare_site(Path(directory), provider_url, model_ids, people, database)
        runs = list(run_cases(cases, options.server or ["site", "sketch"], options.repeat, site, provider_url))
    if options.json:
        options.json.write_text(json.dumps(runs, indent=1))
    results = medians(runs)
    print(table(results))
    return int(any(figures["failures"] for figures in results))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

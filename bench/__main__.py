"""`python -m bench`: the site, the bare sketch and the limit under the same load, in the same call, one after the other.

Runs on the loopback with a fake provider and databases of its own, and ends all it started, also on Ctrl-C.
"""

import json
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import capacity, growth, large, latencies, latency
from .options import Call, parser
from .report import Figures, medians, table
from .servers import run_provider
from .site import NAMES
from .stage import SAME_SITE, Stage, possible

CLIMBERS = ("site", "sketch")


def run_cases(stage: Stage, call: Call, repeat: int) -> list[Figures]:
    """Return the figures of each run, the servers in turn."""
    names = possible(call.case_servers) if call.cases else []
    return [stage.measure(name, case) for case in call.cases for _ in range(repeat) for name in names]


def run_capacity(stage: Stage, call: Call) -> list[Figures]:
    names = possible(call.servers(CLIMBERS)) if call.capacity else []
    return [figures for name in names for figures in capacity.climb(stage, name, call.capacity)]


def run_latencies(stage: Stage, call: Call, provider_url: str, tries: int) -> list[latency.Latency]:
    if "latencies" not in call.tables:
        return []
    kinds = [kind for kind in possible([name for name in call.servers(latencies.KINDS) if name in NAMES]) if kind not in SAME_SITE]
    return list(latencies.measure(stage, kinds, provider_url, tries))


def run_large(stage: Stage, call: Call, tries: int) -> list[large.Replies]:
    kinds = possible([name for name in call.servers(large.KINDS) if name in large.KINDS]) if "large" in call.tables else []
    return list(large.measure(stage, kinds, tries))


def raise_file_limit() -> None:
    """Let this process and its children open what they may: five hundred streams are a thousand sockets of a server."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Book:
    """What has been found so far, printed and kept as soon as it is there."""

    def __init__(self, path: Path | None) -> None:
        self._path, self._found = path, dict[str, Any]()

    def enter(self, title: str, found: Any, table: Callable[[Any], str]) -> None:
        """Print a table under its title, unless there is nothing in it."""
        if not found:
            return
        print(f"\n{title}\n{table(found)}", flush=True)
        self._found[title.lower()] = found
        if self._path:
            self._path.write_text(json.dumps(self._found, indent=1, default=asdict))


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = parser(__doc__).parse_args()
    call, book = Call(options), Book(options.json)
    raise_file_limit()
    with ExitStack() as stack:
        provider_url = stack.enter_context(run_provider())
        stage = Stage(stack, call.order(provider_url), options.database_url)
        book.enter("Cases", runs := run_cases(stage, call, options.repeat), lambda runs: table(medians(runs)))
        book.enter("Capacity", run_capacity(stage, call), capacity.table)
        book.enter("Growth", grown := growth.by_group(growth.grow(stage, call.growth)), growth.table)
        book.enter("Latencies", waited := run_latencies(stage, call, provider_url, options.tries), latency.table)
        book.enter("Large", viewed := run_large(stage, call, options.tries), large.table)
    return int(failed(runs, grown) or any(each.failures for each in [*waited, *viewed]))


def failed(runs: list[Figures], grown: growth.Growth) -> bool:
    """Say whether anybody failed where nobody may: at the end of a climb somebody does."""
    return any(figures["failures"] for figures in [*runs, *(each for group in grown.values() for each in group)])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

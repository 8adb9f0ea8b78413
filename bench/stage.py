"""The servers of one call, by name: sites are filled once, when they are first wanted, and each measurement gets a new server."""

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from .cases import Case
from .measure import measure
from .report import Figures, columns, row
from .servers import Server, run_limit, run_sketch
from .site import NAMES, SERVE, UVICORN, Site, fault, prepared_site

BARE = {"sketch": run_sketch, "limit": run_limit}
SERVERS = (*NAMES, *BARE)
SAME_SITE = {"json": "site", "uvicorn": "site"}  # read or served in another way


class Stage:
    """`order` is what each site is filled with (bench/prepare.py); `database_url` is where `site` keeps it, if not in SQLite."""

    def __init__(self, stack: ExitStack, order: Mapping[str, Any], database_url: str = "") -> None:
        self._stack, self._order, self._database_url = stack, order, database_url
        self._sites: dict[str, Site] = {}

    def site(self, kind: str) -> Site:
        kind = SAME_SITE.get(kind, kind)
        if kind not in self._sites:
            site = prepared_site(kind, self._order, self._database_url if kind == "site" else "")
            self._sites[kind] = self._stack.enter_context(site)
        return self._sites[kind]

    @contextmanager
    def run(self, name: str) -> Iterator[Server]:
        with (
            BARE[name](self._order["provider"]) if name in BARE else self.site(name).run(UVICORN if name == "uvicorn" else SERVE) as server
        ):
            server.name = NAMES.get(name, name)
            yield server

    def measure(self, name: str, case: Case) -> Figures:
        """Measure one case on a new server, and say at once what came of it."""
        with self.run(name) as server:
            figures = asyncio.run(measure(server, case, "json" if name == "json" else "html"))
        print(columns([row(figures)]), *figures["failures"][:3], sep="\n  ", file=sys.stderr, flush=True)
        return figures


def possible(names: Sequence[str]) -> list[str]:
    """Return the servers that can be measured here, and say loudly of the others why not."""
    faults = {name: "" if name in BARE else fault(name) for name in names}
    for name, sentence in faults.items():
        if sentence:
            print(f"\n!! NOT MEASURED: {NAMES[name]}, because {sentence}.\n", file=sys.stderr, flush=True)
    return [name for name in names if not faults[name]]

"""What people wait for besides tokens: stop, resume, recovery, start. Where processes matter there are two, each at a port of its own."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from . import recoveries, resumes, starts, stops
from .latency import Latency, table
from .resumes import LONG
from .site import NAMES, Site
from .stage import Stage
from .stops import SILENT

MODELS = (SILENT, LONG)
KINDS = ("site", "postgresql", "redis")
TRIES = 40
SLOW_TRIES = 5  # of what takes seconds each time


def measure(stage: Stage, kinds: Sequence[str], provider_url: str, tries: int = TRIES) -> Iterator[Latency]:
    for kind in kinds:
        for latency in of_site(stage.site(kind), provider_url, tries):
            latency.server = NAMES[kind]
            print(table([latency]).splitlines()[1], *latency.failures[:3], sep="\n  ", file=sys.stderr, flush=True)
            yield latency


def of_site(site: Site, provider_url: str, tries: int) -> Iterator[Latency]:
    slow_tries = min(tries, SLOW_TRIES)
    with ExitStack() as stack:
        count = 2 if site.has_layer else 1
        servers = [stack.enter_context(site.run(WEB_PROCESSES="1")) for _ in range(count)]
        yield from stops.measure(servers, provider_url, tries)
        yield from resumes.measure(servers, tries)
    if site.has_layer:
        yield recoveries.measure(site, slow_tries)
    yield from starts.measure(site, slow_tries)

"""How long `manage.py serve` takes to its first page, and how large it is then, before anybody has come."""

from .latency import Latency
from .meter import resident_bytes, tree
from .site import Site

AIM_MS, AIM_MB = 2_000, 120


def measure(site: Site, tries: int) -> list[Latency]:
    start, idle = Latency("start, ms", "", aim=AIM_MS), Latency("idle RSS, MB", "")
    for _ in range(tries):
        with site.run() as server:
            start.values.append(server.start_seconds * 1000)
            idle.values.append(resident_bytes(server.pid) / 1e6)
            processes = len(list(tree(server.pid)))
            idle.at, idle.aim = ("", AIM_MB) if processes == 1 else (f"{processes} processes", None)
    return [start, idle]

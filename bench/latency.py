"""Something that took a while, tried several times."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp

from .percentiles import nearest
from .report import columns

HEAD = ("what", "server", "at", "tries", "p50", "p95", "most", "aim", "met", "failed")
FAULTS = (TimeoutError, RuntimeError, aiohttp.ClientError)


@dataclass(slots=True)
class Latency:
    what: str  # with its unit
    at: str
    values: list[float] = field(default_factory=list)
    aim: float | None = None  # that p95 has to stay under
    failures: list[str] = field(default_factory=list)
    server: str = ""

    @contextmanager
    def trying(self) -> Iterator[None]:
        """One try; what goes wrong in it is counted, and stops no other."""
        try:
            yield
        except FAULTS as error:
            self.failures.append(f"{type(error).__name__}: {error}")

    def percentile(self, share: float) -> float:
        return nearest(sorted(self.values), share)

    @property
    def is_met(self) -> bool:
        return self.aim is None or (bool(self.values) and not self.failures and self.percentile(0.95) < self.aim)

    def row(self) -> tuple[str, ...]:
        found = [f"{self.percentile(share):.0f}" if self.values else "-" for share in (0.5, 0.95, 1.0)]
        aim = ("", "") if self.aim is None else (f"{self.aim:g}", "yes" if self.is_met else "no")
        return (self.what, self.server, self.at, str(len(self.values) + len(self.failures)), *found, *aim, str(len(self.failures)))


async def tried(what: str, at: str, tries: int, attempt: Callable[[], Awaitable[float]], aim: float | None = None) -> Latency:
    """Make so many attempts, one after the other."""
    latency = Latency(what, at, aim=aim)
    for _ in range(tries):
        with latency.trying():
            latency.values.append(await attempt())
    return latency


def table(latencies: Sequence[Latency]) -> str:
    return columns([HEAD, *(latency.row() for latency in latencies)])

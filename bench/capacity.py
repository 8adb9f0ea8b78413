"""How many streams one process carries: more and more people, until the tokens come too late."""

from collections.abc import Iterator, Sequence

from .cases import Case
from .report import Figures, columns, pair
from .stage import Stage

LIMIT_MS = 250  # p95 of the added delay
HEAD = ("streams", "server", "CPU µs/token", "added TTFT ms p50/p95", "added delay ms p50/p95", "others %", "failed", "carried")


def climb(stage: Stage, name: str, cases: Sequence[Case]) -> Iterator[Figures]:
    """Measure the cases upward; the first that is not carried is the last. Each is bounded by its own limit of time."""
    for case in cases:
        figures = stage.measure(name, case)
        yield figures
        if not is_carried(figures):
            return


def is_carried(figures: Figures) -> bool:
    return not figures["failures"] and bool(figures["added_delay_ms"]["p95"] < LIMIT_MS)


def table(results: Sequence[Figures]) -> str:
    return columns([HEAD, *map(row, results)])


def row(figures: Figures) -> tuple[str, ...]:
    return (
        str(figures["case"]["streams"]),
        figures["server"],
        f"{figures['cpu_us_per_token']:.0f}",
        pair(figures["added_ttft_ms"], 0),
        pair(figures["added_delay_ms"], 1),
        f"{figures['others_percent']:.0f}",
        str(len(figures["failures"])),
        "yes" if is_carried(figures) else "no",
    )

"""How the cost grows: with the viewers of an answer, with its length, with what was said before it. Each beside its first row."""

from collections.abc import Iterator, Mapping, Sequence

from .cases import Case
from .report import Figures, columns, pair
from .stage import Stage

HEAD = (
    "what grows",
    "",
    "CPU µs/token",
    "CPU ms/turn",
    "x the first",
    "added TTFT ms p50/p95",
    "added delay ms p50/p95",
    "others %",
    "failed",
)
BY_TURN = "turns before"  # what is before a prompt costs a turn, whatever its answer; the rest costs a token

type Growth = dict[str, list[Figures]]


def grow(stage: Stage, groups: Mapping[str, Sequence[Case]]) -> Iterator[tuple[str, Figures]]:
    for what, cases in groups.items():
        for case in cases:
            yield what, stage.measure("site", case)


def by_group(measured: Iterator[tuple[str, Figures]]) -> Growth:
    found: Growth = {}
    for what, figures in measured:
        found.setdefault(what, []).append(figures)
    return found


def table(growth: Growth) -> str:
    return columns([HEAD, *(row(what, figures, group[0]) for what, group in growth.items() for figures in group)])


def row(what: str, figures: Figures, first: Figures) -> tuple[str, ...]:
    cost = ms_per_turn if what == BY_TURN else us_per_token
    return (
        what,
        figures["case"]["name"],
        f"{us_per_token(figures):.0f}",
        f"{ms_per_turn(figures):.1f}",
        f"{cost(figures) / max(1e-9, cost(first)):.2f} x",
        pair(figures["added_ttft_ms"], 0),
        pair(figures["added_delay_ms"], 1),
        f"{figures['others_percent']:.0f}",
        str(len(figures["failures"])),
    )


def us_per_token(figures: Figures) -> float:
    return float(figures["cpu_us_per_token"])


def ms_per_turn(figures: Figures) -> float:
    """Return the CPU time of one turn; a person takes one in each case."""
    return float(figures["cpu_seconds"]) * 1000 / int(figures["case"]["streams"])

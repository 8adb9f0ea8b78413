"""The tables, as text: columns side by side, and what the site costs beside the sketch."""

from collections.abc import Sequence
from statistics import median
from typing import Any

HEAD: tuple[str, ...] = (
    "case",
    "server",
    "CPU µs/token",
    "beside µs/token",
    "added TTFT ms p50/p95",
    "added delay ms p50/p95",
    "RSS KiB/stream",
    "idle MiB",
    "others %",
    "failed",
)
NUMBERS = (
    *("cpu_us_per_token", "beside_us_per_token", "rss_kib_per_stream", "idle_rss_mib", "others_percent"),
    *("cpu_seconds", "seconds", "tokens"),
)

type Figures = dict[str, Any]


def middle(runs: list[Figures]) -> Figures:
    """Return the medians of repeated runs of one case on one server; failures add up."""
    first = runs[0]
    figures: Figures = {"case": first["case"], "server": first["server"], "runs": len(runs)}
    figures |= {key: median(run[key] for run in runs) for key in NUMBERS}
    for group in ("added_ttft_ms", "added_delay_ms"):
        figures[group] = {name: median(run[group][name] for run in runs) for name in first[group]}
    figures["failures"] = [failure for run in runs for failure in run["failures"]]
    return figures


def medians(runs: list[Figures]) -> list[Figures]:
    groups: dict[tuple[str, str], list[Figures]] = {}
    for run in runs:
        groups.setdefault((run["case"]["name"], run["server"]), []).append(run)
    return [middle(group) for group in groups.values()]


def columns(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def table(results: list[Figures]) -> str:
    rows = [HEAD]
    for group in grouped(results):
        sketch = next((figures for figures in group if figures["server"] == "sketch"), None)
        rows += [row(figures) for figures in group]
        rows += [ratio(figures, sketch) for figures in group if sketch and figures is not sketch]
    return columns(rows)


def grouped(results: list[Figures]) -> list[list[Figures]]:
    """Return the results of one case together."""
    cases = list(dict.fromkeys(figures["case"]["name"] for figures in results))
    return [[each for each in results if each["case"]["name"] == name] for name in cases]


def title(case: Figures) -> str:
    within = f" within {case['spread']:g} s" if case["name"].startswith("burst") else ""
    return f"{case['streams']} x {case['rate']}/s, {case['tokens']} tokens{within}"


def row(figures: Figures) -> tuple[str, ...]:
    return (
        title(figures["case"]),
        figures["server"],
        f"{figures['cpu_us_per_token']:.0f}",
        f"{figures['beside_us_per_token']:.0f}",
        pair(figures["added_ttft_ms"], 0),
        pair(figures["added_delay_ms"], 1),
        f"{figures['rss_kib_per_stream']:.0f}",
        f"{figures['idle_rss_mib']:.0f}",
        f"{figures['others_percent']:.0f}",
        str(len(figures["failures"])),
    )


def pair(found: Figures, digits: int) -> str:
    return f"{found['p50']:.{digits}f} / {found['p95']:.{digits}f}"


def ratio(figures: Figures, sketch: Figures) -> tuple[str, ...]:
    share = figures["cpu_us_per_token"] / max(1e-9, sketch["cpu_us_per_token"])
    return ("", f"{figures['server']} / sketch", f"{share:.2f} x", *[""] * (len(HEAD) - 3))

"""The table: what the site costs beside the sketch, case by case."""

from statistics import median
from typing import Any

HEAD: tuple[str, ...] = (
    "case",
    "server",
    "CPU µs/token",
    "added TTFT ms p50/p95",
    "added delay ms p50/p95",
    "RSS KiB/stream",
    "idle MiB",
    "others %",
    "failed",
)
NUMBERS = ("cpu_us_per_token", "rss_kib_per_stream", "idle_rss_mib", "others_percent", "seconds", "tokens")

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


def table(results: list[Figures]) -> str:
    rows = [HEAD]
    for group in grouped(results):
        rows += [row(figures) for figures in group]
        rows += [ratio(figures, group[-1]) for figures in group[:-1]]
    widths = [max(len(each[column]) for each in rows) for column in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(each, widths, strict=True)).rstrip() for each in rows)


def grouped(results: list[Figures]) -> list[list[Figures]]:
    """Return the results of one case together, the sketch last."""
    cases = list(dict.fromkeys(figures["case"]["name"] for figures in results))
    return [
        sorted((each for each in results if each["case"]["name"] == name), key=lambda each: each["server"] == "sketch") for name in cases
    ]


def title(case: Figures) -> str:
    within = f" within {case['spread']:g} s" if case["name"] == "burst" else ""
    return f"{case['streams']} x {case['rate']}/s, {case['tokens']} tokens{within}"


def row(figures: Figures) -> tuple[str, ...]:
    first, delay = figures["added_ttft_ms"], figures["added_delay_ms"]
    return (
        title(figures["case"]),
        figures["server"],
        f"{figures['cpu_us_per_token']:.0f}",
        f"{first['p50']:.0f} / {first['p95']:.0f}",
        f"{delay['p50']:.1f} / {delay['p95']:.1f}",
        f"{figures['rss_kib_per_stream']:.0f}",
        f"{figures['idle_rss_mib']:.0f}",
        f"{figures['others_percent']:.0f}",
        str(len(figures["failures"])),
    )


def ratio(figures: Figures, sketch: Figures) -> tuple[str, ...]:
    share = figures["cpu_us_per_token"] / max(1e-9, sketch["cpu_us_per_token"])
    return ("", f"{figures['server']} / sketch", f"{share:.2f} x", *[""] * (len(HEAD) - 3))

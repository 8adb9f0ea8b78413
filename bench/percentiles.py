"""Percentiles and medians, as all tables use them."""

from collections.abc import Iterable


def percentiles(microseconds: Iterable[int]) -> dict[str, float]:
    """Return p50, p95 and the largest by nearest rank, in milliseconds; 0 where there is nothing."""
    values = sorted(microseconds)
    return {name: nearest(values, share) / 1000 for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0))}


def nearest[T: (int, float)](values: list[T], share: float) -> T:
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0

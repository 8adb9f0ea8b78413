"""How much longer a work takes that has eight times as much to do: what is quadratic takes 64 times as long, whatever the machine."""

import time
from collections.abc import Callable

TIMES = 8
LINEAR = 30  # times as long, at most: far from 8 and from 64


def growth(work: Callable[[int], object], size: int) -> float:
    """Return how many times as long `work` takes with a size of eight times as much; the best of a few tries counts."""
    return fastest(work, size * TIMES) / fastest(work, size)


def fastest(work: Callable[[int], object], size: int) -> float:
    return min(duration(work, size) for _ in range(5))


def duration(work: Callable[[int], object], size: int) -> float:
    """In seconds that this thread was at work."""
    began = time.thread_time()
    work(size)
    return max(time.thread_time() - began, 1e-6)

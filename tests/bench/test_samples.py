"""When a soak says that something grows."""

import pytest

from bench.samples import TOLERANCES, comparisons


def samples(*threads: float) -> list[dict[str, float]]:
    return [{"threads": count} for count in threads]


def test_what_stays_does_not_grow() -> None:
    [threads] = comparisons(samples(12, 12, 12, 12, 12, 12, 12, 12))
    assert not threads.grows


def test_what_is_more_in_the_last_quarter_than_the_tolerance_allows_grows() -> None:
    [threads] = comparisons(samples(12, 12, 12, 12, 13, 13, 15, 15))
    assert (threads.before, threads.after, threads.limit) == (12, 15, 14)
    assert threads.grows


def test_the_first_quarter_is_for_warming_up() -> None:
    [threads] = comparisons(samples(2, 5, 12, 12, 12, 12, 12, 12))
    assert not threads.grows


def test_a_moment_of_more_is_no_growth() -> None:
    [threads] = comparisons(samples(*[12] * 15, 40))
    assert not threads.grows


@pytest.mark.parametrize("what", TOLERANCES)
def test_everything_that_is_sampled_may_grow_without_end_nowhere(what: str) -> None:
    [found] = comparisons([{what: count**3} for count in range(40)])
    assert found.grows

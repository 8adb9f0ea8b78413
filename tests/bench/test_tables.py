"""What the tables of the benchmark say of figures, without measuring any."""

from dataclasses import asdict
from typing import Any

import pytest

from bench import capacity, growth
from bench.cases import GROWTH, Case
from bench.latency import Latency
from bench.latency import table as table_of_latencies
from bench.percentiles import percentiles
from bench.report import medians, table

CASE = Case("many", streams=10, rate=30, tokens=300, spread=2)


def figures(server: str = "site", case: Case = CASE, **more: Any) -> dict[str, Any]:
    late = {"p50": 1.0, "p95": 2.0, "max": 3.0}
    names = ("cpu_us_per_token", "beside_us_per_token", "rss_kib_per_stream", "idle_rss_mib", "others_percent", "cpu_seconds", "seconds")
    found = dict.fromkeys(names, 1.0) | {"added_ttft_ms": late, "added_delay_ms": late}
    return {"server": server, "case": asdict(case), "tokens": 3000, "failures": [], **found, **more}


def test_percentiles_are_of_nearest_rank_in_milliseconds() -> None:
    assert percentiles(range(1_000, 101_000, 1_000)) == {"p50": 51, "p95": 96, "max": 100}
    assert percentiles([]) == {"p50": 0, "p95": 0, "max": 0}


def test_every_server_is_set_against_the_sketch() -> None:
    said = table([figures("site", cpu_us_per_token=50), figures("sketch", cpu_us_per_token=100), figures("limit", cpu_us_per_token=10)])
    assert "site / sketch" in said
    assert "0.50 x" in said
    assert "limit / sketch" in said


def test_without_the_sketch_nothing_is_set_against_anything() -> None:
    assert " / sketch" not in table([figures("site"), figures("limit")])


def test_runs_of_one_case_become_their_median_and_their_failures_add_up() -> None:
    runs = [figures(cpu_us_per_token=cost, failures=["late"]) for cost in (1, 2, 9)]
    [middle] = medians(runs)
    assert middle["cpu_us_per_token"] == 2
    assert middle["failures"] == ["late"] * 3


@pytest.mark.parametrize(("p95", "failures", "is_carried"), [(249, [], True), (250, [], False), (10, ["cut off"], False)])
def test_streams_are_carried_while_nobody_fails_and_few_tokens_are_late(p95: float, failures: list[str], is_carried: bool) -> None:
    found = figures(added_delay_ms={"p50": 1, "p95": p95, "max": p95}, failures=failures)
    assert capacity.is_carried(found) == is_carried


def test_the_climb_ends_at_the_first_step_that_is_not_carried() -> None:
    class Stage:
        def measure(self, name: str, case: Case) -> dict[str, Any]:
            return figures(name, case, failures=["late"] if case.name == "2" else [])

    steps = [Case(str(number), number, 30, 300, 1) for number in (1, 2, 3)]
    assert [each["case"]["name"] for each in capacity.climb(Stage(), "site", steps)] == ["1", "2"]  # type: ignore[arg-type]


def test_growth_is_told_by_token_but_for_history_by_turn() -> None:
    short, long = (figures(case=case, cpu_us_per_token=case.tokens, cpu_seconds=1) for case in GROWTH["tokens per answer"][:2])
    assert "10.00 x" in growth.table({"tokens per answer": [short, long]})
    first, later = (figures(cpu_us_per_token=cost, cpu_seconds=cost) for cost in (1, 4))
    assert "4.00 x" in growth.table({"turns before": [first, later]})


def test_an_aim_is_met_only_where_every_try_came_to_something() -> None:
    assert Latency("stop, ms", "owner", [10.0, 20.0], aim=250).is_met
    assert not Latency("stop, ms", "owner", [10.0], aim=250, failures=["TimeoutError"]).is_met
    assert not Latency("stop, ms", "owner", [], aim=250).is_met
    assert not Latency("stop, ms", "owner", [10.0, 300.0], aim=250).is_met


def none_came() -> float:
    raise TimeoutError("too late")


def test_a_try_that_goes_wrong_is_counted_and_stops_no_other() -> None:
    latency = Latency("stop, ms", "owner")
    for come in (False, True):
        with latency.trying():
            latency.values.append(1.0 if come else none_came())
    assert latency.failures == ["TimeoutError: too late"]
    assert table_of_latencies([latency]).splitlines()[1].split()[-1] == "1"

"""What a call of the benchmark asks for."""

import pytest

from bench.options import Call, parser


def call(*arguments: str) -> Call:
    return Call(parser("").parse_args(arguments))


def test_without_a_word_four_cases_run_on_what_is_quick() -> None:
    asked = call()
    assert [case.name for case in asked.cases] == ["one", "many", "fast", "burst"]
    assert asked.case_servers == ["site", "sketch", "limit"]
    assert not asked.tables


def test_all_is_every_case_on_every_server_and_every_table() -> None:
    asked = call("--all")
    assert [case.streams for case in asked.cases if case.name.startswith("burst")] == [100, 50, 200]
    assert asked.case_servers == ["site", "postgresql", "redis", "sketch", "limit"]
    assert list(asked.tables) == ["capacity", "growth", "latencies", "large"]


def test_only_one_table_is_that_table() -> None:
    asked = call("--all", "--only", "latencies")
    assert (asked.cases, asked.capacity, asked.growth, asked.tables) == ([], [], {}, ["latencies"])


def test_a_server_that_is_named_is_the_only_one() -> None:
    assert call("--all", "--server", "redis").case_servers == ["redis"]


def test_what_grows_is_not_set_by_the_call() -> None:
    lengths = call("--only", "growth", "--tokens", "60", "--streams", "5").growth["tokens per answer"]
    assert [(case.tokens, case.streams) for case in lengths] == [(300, 5), (3_000, 5), (10_000, 5)]


def test_a_site_is_filled_with_all_that_the_cases_need() -> None:
    order = call("--only", "growth", "--only", "many").order("http://127.0.0.1:1/v1")
    assert order["people"] == 100
    assert order["histories"] == {1: 20, 50: 20, 200: 20}
    assert len(order["models"]) == len(set(order["models"]))


def test_a_server_nobody_knows_is_refused() -> None:
    with pytest.raises(SystemExit):
        call("--server", "apache")

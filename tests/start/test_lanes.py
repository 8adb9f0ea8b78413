"""The lanes of `make test`: together they run every test, and one that fails is never passed over."""

import sys
from pathlib import Path

import pytest

from tests.lanes import PAGES, PROCESSES, REST, ROOT, Lane, run


def test_every_place_named_by_a_lane_exists_and_the_rest_leaves_out_nothing_else() -> None:
    named = PAGES + PROCESSES
    assert all((ROOT / path).exists() for path in named)
    assert [argument.removeprefix("--ignore=") for argument in REST if argument.startswith("--ignore=")] == named
    assert "tests" in REST


@pytest.mark.parametrize("codes", [(0, 0), (0, 3), (3, 0)])
def test_a_lane_fails_when_any_of_its_commands_does(codes: tuple[int, ...], tmp_path: Path) -> None:
    lanes = {"one": [exits(code) for code in codes], "another": [exits(0)]}
    assert run(lanes, tmp_path) == (1 if any(codes) else 0)


def exits(code: int) -> list[str]:
    return [sys.executable, "-c", f"raise SystemExit({code})"]


def test_a_lane_keeps_what_all_of_its_commands_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lane = Lane("one", [[sys.executable, "-c", f"print('said {number}')"] for number in (1, 2)], tmp_path / "log")
    while not lane.has_ended():
        pass
    lane.tell(0)
    assert "one: passed after 0 s\nsaid 1\nsaid 2" in capsys.readouterr().out

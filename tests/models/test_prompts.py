"""What stands in braces in a saved prompt."""

import pytest

from conversations.models import SavedPrompt
from conversations.models.prompts import NAME_MAX_CHARACTERS, variables_in
from tests.growth import LINEAR, growth


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{{a}} {{ b }} {{a }}", ["a", "b"]),
        ("{{two words}}", ["two words"]),
        ("{{}} {{ }} {{a\nb}} {{a}b}} {a}", []),
        ("{{" + "x" * NAME_MAX_CHARACTERS + "}}", ["x" * NAME_MAX_CHARACTERS]),
        ("{{" + "x" * (NAME_MAX_CHARACTERS + 1) + "}}", []),
    ],
)
def test_what_is_a_variable(text: str, names: list[str]) -> None:
    assert variables_in(text) == names


def test_what_is_none_stays_as_it_is() -> None:
    text = "{{ }} {{" + "x" * (NAME_MAX_CHARACTERS + 1) + "}} {{ a }} {{b}}"
    assert SavedPrompt(text=text).filled({"a": "A"}) == text.replace("{{ a }}", "A")


@pytest.mark.parametrize("piece", [" ", "{", "{{", "{{ ", "{{a"])
def test_no_text_takes_more_time_than_its_length_allows(piece: str) -> None:
    assert growth(lambda size: variables_in("{{" + piece * size), 1_000) < LINEAR

"""The template tag `address` says what Django's `url` says."""

import re
from pathlib import Path

import pytest
from django.urls import reverse

from conversations.templatetags.addresses import address

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
USED = {name for path in TEMPLATES.glob("*.html") for name in re.findall(r"{% address '(\w+)'", path.read_text())}


@pytest.mark.parametrize("name", sorted(USED))
def test_it_is_the_address_that_django_finds(name: str) -> None:
    assert address(name, 42) == reverse(name, args=[42])
    assert address(name, 1234567) == reverse(name, args=[1234567])


def test_no_key_is_a_clear_error() -> None:
    with pytest.raises(ValueError, match="Unknown format code"):
        address("stop_answer", "")  # type: ignore[arg-type]

"""The settings of a person: instructions for every conversation, kept as they were written, and nobody else's."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from conversations.models import Preferences


def test_instructions_are_kept_and_shown_again(alice: User, alices: Client) -> None:
    assert "Custom instructions" in alices.get("/settings").content.decode()
    for text in ("Answer in <b>rhymes</b>.\r\nAlways.", "Answer in prose."):
        page = alices.post("/settings", {"instructions": text}, follow=True).content.decode()
        assert "Saved." in page
    assert Preferences.objects.get(person=alice).instructions == "Answer in prose."


def test_they_are_text(alices: Client) -> None:
    page = alices.post("/settings", {"instructions": "</textarea><script>"}, follow=True).content.decode()
    assert "</textarea><script>" not in page
    assert "&lt;/textarea&gt;&lt;script&gt;" in page


@pytest.mark.parametrize("text", ["x" * 10_001, "a\0b"])
def test_what_cannot_be_kept_is_refused_in_words(alices: Client, text: str) -> None:
    response = alices.post("/settings", {"instructions": text})
    assert response.status_code == 422
    assert "again." in response.content.decode()
    assert not Preferences.objects.exists()


def test_they_are_the_persons_own(alices: Client, bobs: Client) -> None:
    alices.post("/settings", {"instructions": "a secret of alice"})
    assert "a secret of alice" not in bobs.get("/settings").content.decode()

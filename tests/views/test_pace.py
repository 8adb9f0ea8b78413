"""Who asks too fast is told so, with what was written still there: in a page, for htmx and as JSON."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from conversations.models import LanguageModel, Message
from tests.factories import make_turn

from .sending import HTMX, JSON, START, finish, rows, send

PROMPT = "Something that took long to write"


@pytest.fixture(autouse=True)
def one_a_minute(settings: Any) -> None:
    settings.REQUESTS_PER_MINUTE = 1


@pytest.mark.parametrize("how", [{}, {"headers": HTMX}, {"headers": JSON}], ids=["page", "htmx", "JSON"])
@pytest.mark.parametrize("way", ["new chat", "message", "edit", "retry"])
def test_what_comes_too_fast_is_refused_in_words_and_stays(
    alice: User, alices: Client, model: LanguageModel, how: dict[str, Any], way: str
) -> None:
    turn = finish(make_turn(owner=alice, model=model))
    url = {
        "new chat": START,
        "message": reverse("start_turn", args=[turn.conversation.pk]),
        "edit": reverse("edit_turn", args=[turn.prompt.pk]),
        "retry": reverse("retry_answer", args=[turn.answer.pk]),
    }[way]
    before = rows()
    response = send(alices, url, PROMPT, model, **how)
    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 60
    text = response.content.decode()
    assert "1 request a minute is possible" in text
    if how == {"headers": JSON}:
        assert response.json()["error"]["code"] == "too_many"
    elif not how and way != "retry":
        assert PROMPT in text
    assert rows() == before


def test_the_same_prompt_sent_twice_is_one_and_not_too_many(alice: User, alices: Client, model: LanguageModel) -> None:
    key = "0b0f6d0e-6f2d-4f7a-9f52-1d1f3c6f2c11"
    first, second = (send(alices, START, PROMPT, model, key=key, headers=JSON) for _ in range(2))
    assert first.json() == second.json()
    assert Message.objects.filter(text=PROMPT).count() == 1

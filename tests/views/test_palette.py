"""What the palette offers: what can be done here, and nothing to a stranger's conversation."""

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from conversations.models import LanguageModel
from tests.factories import make_turn


def test_what_can_be_done_to_the_open_conversation_is_offered(alice: User, alices: Client, bobs: Client, model: LanguageModel) -> None:
    turn = make_turn(owner=alice, model=model)
    url = f"/palette?conversation={turn.conversation.pk}"
    mine, strangers = (browser.get(url).content.decode() for browser in (alices, bobs))
    for label in ("Rename", "Fork", "Move"):
        assert f"{label} this conversation" in mine
        assert f"{label} this conversation" not in strangers
    assert reverse("fork_conversation", args=[turn.answer.pk]) in mine
    asked = alices.post("/conversations/selection", {"do": "move", "conversation": turn.conversation.pk})
    assert "Move to a folder" in asked.content.decode()


def test_a_temporary_chat_ones_tokens_and_the_list_of_keys_are_offered_anywhere(alices: Client) -> None:
    assert 'data-dialog="shortcuts"' in alices.get("/palette?q=keyboard").content.decode()
    assert reverse("tokens") in alices.get("/palette?q=tokens").content.decode()
    assert "/?temporary=1" in alices.get("/palette?q=temporary").content.decode()
    checked = 'autocomplete="off" checked>Temporary chat'
    assert checked in alices.get("/?temporary=1").content.decode()
    assert checked not in alices.get("/").content.decode()

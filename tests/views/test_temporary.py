"""Temporary conversations: begun by a choice, in no list, closed when their page is left, and then gone but for the ledger."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations.models import Conversation, Generation, LanguageModel, Message, Status, Usage, temporary, trash
from tests.factories import make_conversation, make_folder, make_turn

JSON = {"Accept": "application/json"}


def start(browser: Client, model: LanguageModel, **fields: Any) -> Conversation:
    browser.post("/conversations", {"prompt": "a secret plan", "model": model.pk, **fields})
    return Conversation.objects.latest("pk")


def test_the_choice_is_offered_before_the_first_prompt_and_its_state_is_shown_after(alices: Client, model: LanguageModel) -> None:
    assert 'name="temporary" value="1" form="composer"' in alices.get("/").content.decode()
    page = alices.get(reverse("conversation", args=[start(alices, model, temporary="1").pk])).content.decode()
    assert 'name="temporary"' not in page
    assert '<span class="badge">Temporary</span>' in page
    page = alices.get(reverse("conversation", args=[start(alices, model).pk])).content.decode()
    assert "Temporary" not in page


def test_it_is_in_no_list(alice: User, alices: Client, model: LanguageModel) -> None:
    conversation = start(alices, model, temporary="1", folder=make_folder(alice).pk)
    assert (conversation.is_temporary, conversation.folder) == (True, None)
    for path in ("/", "/sidebar", "/archive", "/trash", "/palette?q=secret", f"/conversations/{conversation.pk}"):
        body = alices.get(path).content.decode()
        assert f'href="/conversations/{conversation.pk}"' not in body, path
    for name in ("conversation_options", "share_conversation"):
        assert alices.get(reverse(name, args=[conversation.pk])).status_code == 404, name


def test_a_program_begins_one_too(alices: Client, model: LanguageModel) -> None:
    body = {"prompt": "hello", "model": model.pk, "temporary": 1}
    alices.post("/conversations", body, content_type="application/json", headers=JSON)
    assert Conversation.objects.get().is_temporary


def test_a_refused_prompt_stays_temporary_on_the_page(alices: Client, model: LanguageModel) -> None:
    refused = alices.post("/conversations", {"prompt": " ", "model": model.pk, "temporary": "1"})
    assert refused.status_code == 422
    assert 'autocomplete="off" checked>' in refused.content.decode()
    signed_out = Client().post("/conversations", {"prompt": "a secret plan", "model": model.pk, "temporary": "1"})
    assert '<input type="hidden" name="temporary" value="1">' in signed_out.content.decode()


def test_leaving_and_coming_back_are_told_by_its_page(alice: User, alices: Client) -> None:
    conversation = make_conversation(alice, is_temporary=True)
    url = reverse("presence", args=[conversation.pk])
    assert alices.post(url, {"left": "1"}).status_code == 204
    conversation.refresh_from_db()
    assert conversation.updated_at < timezone.now() - temporary.TIME_OUT + temporary.GRACE
    assert alices.post(url).status_code == 204
    conversation.refresh_from_db()
    assert conversation.updated_at > timezone.now() - temporary.GRACE
    assert alices.get(url).status_code == 405


def test_nobody_else_closes_it_or_keeps_it(alice: User, bobs: Client) -> None:
    conversation = make_conversation(alice, is_temporary=True)
    before = conversation.updated_at
    for fields in ({}, {"left": "1"}):
        assert bobs.post(reverse("presence", args=[conversation.pk]), fields).status_code == 404
    conversation.refresh_from_db()
    assert conversation.updated_at == before


@pytest.mark.parametrize("status", [Status.COMPLETE, Status.RUNNING])
def test_ended_by_hand_it_is_gone_at_once_and_from_the_database_with_its_answer(
    alice: User, alices: Client, model: LanguageModel, status: Status
) -> None:
    turn = make_turn(owner=alice, model=model)
    Conversation.objects.update(is_temporary=True)
    Generation.objects.update(status=status)
    usage = Usage(generation=turn.generation)
    usage.take_prices(model)
    usage.save()
    response = alices.post(reverse("delete_conversation", args=[turn.conversation.pk]))
    assert response["Location"] == "/"
    assert alices.get(reverse("conversation", args=[turn.conversation.pk])).status_code == 404
    assert alices.post(reverse("restore_conversation", args=[turn.conversation.pk])).status_code == 404
    Generation.objects.update(status=Status.STOPPED)
    trash.sweep_temporary()
    assert not Message.objects.exists()
    assert not Conversation.objects.exists()
    assert Usage.objects.get().model == model

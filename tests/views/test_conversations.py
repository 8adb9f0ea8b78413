"""Conversations in the hands of their owner: shown, renamed, deleted, restored. And what a deleted one still does: nothing."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from conversations.models import Conversation, Generation, LanguageModel, Message, Status
from conversations.models.conversations import TITLE_MAX_CHARACTERS
from tests.factories import make_conversation, make_turn

JSON = {"Accept": "application/json"}


@pytest.mark.parametrize("title", ["", "   ", "\u200b\ufeff", "x" * (TITLE_MAX_CHARACTERS + 1), "nul\0", "x" * 1_000_000])
def test_a_title_that_is_none_is_refused_with_a_sentence(alice: User, alices: Client, title: str) -> None:
    conversation = make_conversation(alice, title="As it was")
    response: Any = alices.post(reverse("rename_conversation", args=[conversation.pk]), {"title": title})
    assert response.status_code == 422
    assert response.context["error"].endswith(".")
    assert Conversation.objects.get().title == "As it was"


def test_a_conversation_is_renamed_and_its_title_is_text(alice: User, alices: Client) -> None:
    conversation = make_conversation(alice)
    response = alices.post(reverse("rename_conversation", args=[conversation.pk]), {"title": "  <b>Gärten</b> "}, follow=True)
    assert Conversation.objects.get().title == "<b>Gärten</b>"
    assert "<b>Gärten" not in response.content.decode()
    assert "&lt;b&gt;Gärten" in response.content.decode()


def test_a_deleted_conversation_is_gone_everywhere_for_its_owner_too(alice: User, alices: Client, model: LanguageModel) -> None:
    turn = make_turn(owner=alice, model=model, prompt="a thing to forget")
    alices.post(reverse("delete_conversation", args=[turn.conversation.pk]))
    for name, pk, method in (
        ("conversation", turn.conversation.pk, "get"),
        ("start_turn", turn.conversation.pk, "post"),
        ("rename_conversation", turn.conversation.pk, "post"),
        ("delete_conversation", turn.conversation.pk, "post"),
        ("answer_events", turn.answer.pk, "get"),
        ("answer_source", turn.answer.pk, "get"),
        ("stop_answer", turn.answer.pk, "post"),
        ("retry_answer", turn.answer.pk, "post"),
    ):
        response = getattr(alices, method)(reverse(name, args=[pk]), {"prompt": "x", "title": "x", "model": model.pk})
        assert response.status_code == 404, name
    assert "a thing to forget" not in alices.get("/").content.decode()


def test_deleting_stops_the_answer_that_is_being_written(alice: User, alices: Client, model: LanguageModel) -> None:
    queued, running = make_turn(owner=alice, model=model), make_turn(owner=alice, model=model)
    assert running.generation.claim("somebody")
    for turn in (queued, running):
        alices.post(reverse("delete_conversation", args=[turn.conversation.pk]))
    assert Generation.objects.get(pk=queued.generation.pk).status == Status.STOPPED
    assert Generation.objects.get(pk=running.generation.pk).stop_requested_at


def test_a_deleted_conversation_can_be_had_back_whole(alice: User, alices: Client, model: LanguageModel) -> None:
    turn = make_turn(owner=alice, model=model, prompt="a thing to keep")
    page = alices.post(reverse("delete_conversation", args=[turn.conversation.pk]), follow=True).content.decode()
    assert '<input type="hidden" name="do" value="restore">' in page
    undone = alices.post(reverse("select_conversations"), {"do": "restore", "conversation": turn.conversation.pk, "undone": 1}, follow=True)
    assert "a thing to keep" in undone.content.decode()
    assert Message.objects.filter(conversation__deleted_at=None).count() == 2


def test_nobody_restores_what_a_stranger_deleted(alice: User, bobs: Client) -> None:
    conversation = make_conversation(alice, title="private title")
    conversation.soft_delete()
    assert bobs.post(reverse("restore_conversation", args=[conversation.pk])).status_code == 404
    assert "private title" not in bobs.get(f"/?deleted={conversation.pk}").content.decode()
    assert Conversation.objects.trashed().exists()


@pytest.mark.parametrize("deleted", ["", "x", "-1", "0", str(10**30), "²", "1\0", "9" * 18])
def test_a_strange_notice_number_is_passed_over(alices: Client, deleted: str) -> None:
    response = alices.get("/", {"deleted": deleted})
    assert response.status_code == 200
    assert "was deleted" not in response.content.decode()


def test_deleting_twice_and_restoring_twice_is_harmless(alice: User, alices: Client) -> None:
    pk = make_conversation(alice).pk
    delete, restore = reverse("delete_conversation", args=[pk]), reverse("restore_conversation", args=[pk])
    assert [alices.post(url).status_code for url in (delete, delete, restore, restore)] == [302, 404, 302, 404]


def test_the_page_shows_the_path_that_ends_at_the_head_and_no_other(alice: User, alices: Client, model: LanguageModel) -> None:
    turn = make_turn(owner=alice, model=model, prompt="one prompt")
    Generation.objects.update(status=Status.COMPLETE)
    Message.objects.filter(pk=turn.answer.pk).update(text="first try")
    again = alices.post(reverse("retry_answer", args=[turn.answer.pk]), headers=JSON).json()
    Generation.objects.update(status=Status.COMPLETE)
    Message.objects.filter(pk=again["answer"]).update(text="second try")
    page = alices.get(again["url"]).content.decode()
    assert page.count('data-role="user"') == 1
    assert "second try" in page
    assert "first try" not in page


def test_a_conversation_whose_model_was_deleted_still_opens_and_goes_on(alice: User, alices: Client, model: LanguageModel) -> None:
    turn = make_turn(owner=alice, model=model)
    Generation.objects.update(status=Status.COMPLETE, model=None)
    Conversation.objects.update(model=None)
    url = reverse("conversation", args=[turn.conversation.pk])
    assert model.name in alices.get(url).content.decode()
    sent = alices.post(reverse("start_turn", args=[turn.conversation.pk]), {"prompt": "and now?", "model": model.pk})
    assert sent.status_code == 302


def test_a_message_without_a_generation_is_shown_as_a_finished_answer(alice: User, alices: Client, model: LanguageModel) -> None:
    turn = make_turn(owner=alice, model=model)
    Generation.objects.all().delete()
    page = alices.get(reverse("conversation", args=[turn.conversation.pk])).content.decode()
    assert 'data-status="complete"' in page


def test_a_name_cannot_turn_the_sentence_around_it(alice: User, alices: Client) -> None:
    conversation = make_conversation(alice)
    alices.post(reverse("rename_conversation", args=[conversation.pk]), {"title": "a\u202egnp.exe\u2066 b\u200fc"})
    conversation.refresh_from_db()
    assert conversation.title == "agnp.exe b\u200fc"
    alices.post(reverse("rename_conversation", args=[conversation.pk]), {"title": "\u202e\u2069"})
    conversation.refresh_from_db()
    assert conversation.title == "agnp.exe b\u200fc"

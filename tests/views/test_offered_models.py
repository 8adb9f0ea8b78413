"""A model that is not for a person is offered nowhere and taken nowhere, whatever is sent; a retired one is followed by its successor."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations.generation.titles import begin
from conversations.models import Conversation, Generation, LanguageModel, Turn
from tests.factories import make_model, make_turn

from .sending import JSON, finish


@pytest.fixture
def limited(db: None) -> LanguageModel:
    """A model of a group that alice is not in."""
    model = make_model(name="For research only", description="Slow and deep")
    model.groups.add(Group.objects.create(name="Research"))
    return model


@pytest.fixture
def member(alice: User, limited: LanguageModel) -> User:
    alice.groups.add(limited.groups.get())
    return alice


def pages(turn: Turn) -> list[str]:
    """Where a model can be picked."""
    again = reverse("retry_answer", args=[turn.answer.pk])
    edit = reverse("edit_turn", args=[turn.prompt.pk])
    return [reverse("home"), reverse("conversation", args=[turn.conversation.pk]), edit, again, f"{again}?compare"]


def retire(model: LanguageModel, successor: LanguageModel | None = None) -> None:
    LanguageModel.objects.filter(pk=model.pk).update(retires_at=timezone.now() - timedelta(seconds=1), successor=successor)


def test_it_is_in_no_picker_but_those_of_its_group(alice: User, alices: Client, model: LanguageModel, limited: LanguageModel) -> None:
    turn = finish(make_turn(owner=alice, model=model))
    for url in pages(turn):
        assert "For research only" not in alices.get(url).content.decode(), url
    alice.groups.add(limited.groups.get())
    for url in pages(turn):
        assert "For research only (demo) – Slow and deep" in alices.get(url).content.decode(), url


@pytest.mark.parametrize("headers", [{}, JSON])
def test_it_is_taken_from_nobody_else(
    alice: User, alices: Client, model: LanguageModel, limited: LanguageModel, headers: dict[str, str]
) -> None:
    turn = finish(make_turn(owner=alice, model=model))
    wishes: list[tuple[str, int | None, dict[str, Any]]] = [
        ("start_conversation", None, {"prompt": "hello", "model": limited.pk}),
        ("start_turn", turn.conversation.pk, {"prompt": "hello", "model": limited.pk}),
        ("edit_turn", turn.prompt.pk, {"prompt": "hello", "model": limited.pk}),
        ("retry_answer", turn.answer.pk, {"model": limited.pk}),
        ("retry_answer", turn.answer.pk, {"model": model.pk, "rival": limited.pk}),
    ]
    for name, pk, form in wishes:
        response = alices.post(reverse(name, args=[pk] if pk else []), form, headers=headers)
        assert response.status_code == 422, name
    assert not Generation.objects.filter(model=limited).exists()


def test_a_member_can_ask_it(member: User, alices: Client, limited: LanguageModel) -> None:
    assert alices.post(reverse("start_conversation"), {"prompt": "hello", "model": limited.pk}, headers=JSON).status_code == 201
    assert Generation.objects.get().model == limited


def test_who_has_left_the_group_goes_on_with_another_model(
    member: User, alices: Client, model: LanguageModel, limited: LanguageModel
) -> None:
    turn = finish(make_turn(owner=member, model=limited))
    member.groups.clear()
    page = alices.get(reverse("conversation", args=[turn.conversation.pk])).content.decode()
    assert f'<option value="{model.pk}" selected>' in page
    unnamed = alices.post(reverse("start_turn", args=[turn.conversation.pk]), {"prompt": "go on"}, headers=JSON)
    assert unnamed.status_code == 422
    alices.post(reverse("retry_answer", args=[turn.answer.pk]), headers=JSON)
    assert Generation.objects.latest("pk").model == model


def test_titles_are_written_by_no_model_that_is_not_for_the_owner(alice: User, model: LanguageModel, limited: LanguageModel) -> None:
    LanguageModel.objects.filter(pk=limited.pk).update(writes_titles=True)
    naming = begin(finish(make_turn(owner=alice, model=model)).generation)
    assert naming is not None
    assert naming.model == model
    alice.groups.add(limited.groups.get())
    naming = begin(finish(make_turn(owner=alice, model=model)).generation)
    assert naming is not None
    assert naming.model == limited


def test_a_retired_model_is_followed_by_its_successor_which_is_said_until_the_next_turn(
    alice: User, alices: Client, model: LanguageModel
) -> None:
    turn, successor = finish(make_turn(owner=alice, model=model)), make_model(name="Next one")
    retire(model, successor)
    page = reverse("conversation", args=[turn.conversation.pk])
    body = alices.get(page).content.decode()
    assert "has retired. Next one goes on in this conversation" in body
    assert f'<option value="{successor.pk}" selected>' in body
    assert f'<option value="{model.pk}"' not in body
    alices.post(reverse("start_turn", args=[turn.conversation.pk]), {"prompt": "go on"}, headers=JSON)
    assert Generation.objects.latest("pk").model == successor
    assert Conversation.objects.get().model == successor
    assert "has retired" not in alices.get(page).content.decode()


def test_a_retired_model_is_not_taken_and_a_cut_off_answer_goes_on_with_the_successor(
    alice: User, alices: Client, model: LanguageModel
) -> None:
    turn, successor = finish(make_turn(owner=alice, model=model)), make_model()
    turn.answer.text = "The beginning"
    turn.answer.save()
    Generation.objects.update(status="stopped")
    retire(model, successor)
    refused = alices.post(reverse("start_turn", args=[turn.conversation.pk]), {"prompt": "hello", "model": model.pk}, headers=JSON)
    assert refused.status_code == 422
    assert alices.post(reverse("continue_answer", args=[turn.answer.pk]), headers=JSON).status_code == 201
    assert Generation.objects.latest("pk").model == successor


def test_without_a_successor_the_default_goes_on(alice: User, alices: Client, model: LanguageModel) -> None:
    turn = finish(make_turn(owner=alice, model=model))
    other = make_model(name="Other")
    retire(model)
    body = alices.get(reverse("conversation", args=[turn.conversation.pk])).content.decode()
    assert "has retired. Other goes on" in body
    assert f'<option value="{other.pk}" selected>' in body

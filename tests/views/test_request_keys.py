"""A prompt sent twice, in every way that happens: one turn, and never a lost prompt."""

import uuid

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from conversations.models import Conversation, Generation, LanguageModel, Message, Status
from tests.conftest import browser_of, in_parallel
from tests.factories import make_model, make_turn, make_user

from .sending import HTMX, JSON, START, finish, rows, send


def test_the_same_key_again_is_the_same_turn(alice: User, alices: Client, model: LanguageModel) -> None:
    key = uuid.uuid4()
    first, second = (send(alices, START, "hello", model, key=key, headers=JSON) for _ in range(2))
    assert first.json() == second.json()
    assert rows() == (1, 2, 1)
    url = reverse("start_turn", args=[finish(make_turn(owner=alice, model=model)).conversation.pk])
    key = uuid.uuid4()
    first, second = (send(alices, url, "hello", model, key=key, headers=JSON) for _ in range(2))
    assert first.json() == second.json()


@pytest.mark.parametrize("where", ["new", "old"])
def test_a_page_out_of_the_browsers_history_loses_no_prompt(alice: User, alices: Client, model: LanguageModel, where: str) -> None:
    """It comes back with its old key; what is written into it then is another prompt."""
    key = uuid.uuid4()
    first = send(alices, START, "first", model, key=key, headers=JSON).json()
    Generation.objects.update(status=Status.COMPLETE)
    url = START if where == "new" else reverse("start_turn", args=[first["conversation"]])
    second = send(alices, url, "second", model, key=key, headers=JSON).json()
    assert second["prompt"] != first["prompt"]
    assert Message.objects.get(pk=second["prompt"]).text == "second"


def test_a_key_of_a_deleted_conversation_begins_a_new_one(alices: Client, model: LanguageModel) -> None:
    key = uuid.uuid4()
    for _ in range(2):
        begun = send(alices, START, "hello", model, key=key, headers=JSON).json()
        assert alices.get(begun["url"]).status_code == 200
        alices.post(reverse("delete_conversation", args=[begun["conversation"]]))
    assert Conversation.objects.trashed().count() == 2


def test_somebody_elses_key_gives_nobody_elses_turn(alice: User, bobs: Client, model: LanguageModel) -> None:
    key = uuid.uuid4()
    send(browser_of(alice), START, "secret of alice", model, key=key)
    response = send(bobs, START, "hello", model, key=key, headers=JSON)
    assert response.status_code < 500
    mine = Conversation.objects.filter(owner__username="bob")
    assert response.status_code == 201
    assert response.json()["conversation"] == mine.get().pk


@pytest.mark.parametrize("headers", [{}, HTMX, JSON])
def test_a_second_prompt_while_an_answer_is_written_is_a_409(
    alice: User, alices: Client, model: LanguageModel, headers: dict[str, str]
) -> None:
    turn = make_turn(owner=alice, model=model)
    before = rows()
    response = send(alices, reverse("start_turn", args=[turn.conversation.pk]), "and another", model, headers=headers)
    assert response.status_code == 409
    assert "An answer is still being written" in response.content.decode()
    assert rows() == before
    if not headers:
        assert response.context["composer"].text == "and another"


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["new", "old"])
def test_a_double_click_is_one_turn(where: str) -> None:
    alice, model, key = make_user("alice"), make_model(), uuid.uuid4()
    conversation = finish(make_turn(owner=alice, model=model)).conversation
    url = START if where == "new" else reverse("start_turn", args=[conversation.pk])
    browsers, before = [browser_of(alice) for _ in range(4)], rows()
    replies = in_parallel(4, lambda number: send(browsers[number], url, "hello", model, key=key, headers=JSON))
    assert {reply.status_code for reply in replies} == {201}
    assert len({reply.json()["answer"] for reply in replies}) == 1
    assert rows() == (before[0] + (where == "new"), before[1] + 2, before[2] + 1)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_eight_prompts_at_once_exactly_one_begins() -> None:
    alice, model = make_user("alice"), make_model()
    conversation = finish(make_turn(owner=alice, model=model)).conversation
    browsers, before = [browser_of(alice) for _ in range(8)], rows()
    url = reverse("start_turn", args=[conversation.pk])
    replies = in_parallel(8, lambda number: send(browsers[number], url, f"prompt {number}", model, headers=JSON))
    assert sorted(reply.status_code for reply in replies) == [201] + [409] * 7
    assert rows() == (before[0], before[1] + 2, before[2] + 1)

"""Retry: another answer beside the one there is, under every condition."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from conversations.models import Generation, LanguageModel, Message
from tests.conftest import browser_of, in_parallel
from tests.factories import make_model, make_turn, make_user

from .sending import JSON, finish


def test_retry_while_an_answer_is_written_is_a_409(alice: User, alices: Client, model: LanguageModel) -> None:
    turn = make_turn(owner=alice, model=model)
    assert alices.post(reverse("retry_answer", args=[turn.answer.pk])).status_code == 409


def test_a_prompt_is_no_answer_to_stop_or_retry(alice: User, alices: Client, model: LanguageModel) -> None:
    prompt = make_turn(owner=alice, model=model).prompt
    for name in ("stop_answer", "retry_answer"):
        assert alices.post(reverse(name, args=[prompt.pk])).status_code == 404
    assert alices.get(reverse("answer_source", args=[prompt.pk])).status_code == 404


@pytest.mark.parametrize("wanted", ["0", "999999", str(10**30), "²", "-1", "x"])
def test_retry_with_a_model_that_is_none_is_refused_or_takes_the_own_one(
    alice: User, alices: Client, model: LanguageModel, wanted: str
) -> None:
    turn = finish(make_turn(owner=alice, model=model))
    assert alices.post(reverse("retry_answer", args=[turn.answer.pk]), {"model": wanted}).status_code in {302, 422}


def test_a_program_names_the_model_of_a_retry_in_json(alice: User, alices: Client, model: LanguageModel) -> None:
    turn, other = finish(make_turn(owner=alice, model=model)), make_model()
    url = reverse("retry_answer", args=[turn.answer.pk])
    answer = alices.post(url, {"model": other.pk}, content_type="application/json", headers=JSON).json()["answer"]
    assert Generation.objects.get(message=answer).model == other


@pytest.mark.parametrize(("body", "status"), [("", 201), ("{}", 201), ('{"model": "none"}', 422), ('{"model": 0}', 422), ("[1]", 400)])
def test_a_retry_in_json_is_taken_by_its_word(alice: User, alices: Client, model: LanguageModel, body: str, status: int) -> None:
    turn = finish(make_turn(owner=alice, model=model))
    response = alices.post(reverse("retry_answer", args=[turn.answer.pk]), body, content_type="application/json", headers=JSON)
    assert response.status_code == status
    assert Message.objects.count() == (3 if status == 201 else 2)


def test_retry_writes_a_sibling_and_the_conversation_shows_it(alice: User, alices: Client, model: LanguageModel) -> None:
    turn = finish(make_turn(owner=alice, model=model))
    Message.objects.filter(pk=turn.answer.pk).update(text="the first try")
    body = alices.post(reverse("retry_answer", args=[turn.answer.pk]), headers=JSON).json()
    sibling = Message.objects.get(pk=body["answer"])
    assert (sibling.parent, sibling.conversation.head) == (turn.prompt, sibling)
    assert Message.objects.get(pk=turn.answer.pk).text == "the first try"
    assert "the first try" not in alices.get(body["url"]).content.decode()


def test_retry_of_an_answer_whose_model_is_gone_takes_the_default(alice: User, alices: Client, model: LanguageModel) -> None:
    turn = finish(make_turn(owner=alice, model=make_model()))
    Generation.objects.filter(pk=turn.generation.pk).update(model=None)
    answer = alices.post(reverse("retry_answer", args=[turn.answer.pk]), headers=JSON).json()["answer"]
    assert Generation.objects.get(message=answer).model == model


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_four_retries_at_once_exactly_one_begins() -> None:
    alice, model = make_user("alice"), make_model()
    turn = finish(make_turn(owner=alice, model=model))
    browsers = [browser_of(alice) for _ in range(4)]
    url = reverse("retry_answer", args=[turn.answer.pk])
    replies = in_parallel(4, lambda number: browsers[number].post(url, headers=JSON))
    assert sorted(reply.status_code for reply in replies) == [201] + [409] * 3

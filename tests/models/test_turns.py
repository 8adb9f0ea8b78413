"""The rules of turns, conversations and messages, where no view is involved."""

import uuid

import pytest
from django.db import IntegrityError, transaction

from conversations.models import Conversation, Generation, Message, Role, Status, TurnRefused, retry, start_turn
from conversations.models.conversations import title_from
from tests.factories import make_conversation, make_model, make_turn, make_user


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("Why is the sky blue?", "Why is the sky blue?"),
        ("\n\n  first   line \nsecond", "first line"),
        ("", "New conversation"),
        (" \n\t", "New conversation"),
        ("word " * 30, "word word word word word word word word word word word word…"),
        ("x" * 100, "x" * 60 + "…"),
        (
            "a sentence that is cut behind the last word before its comma, and so on",
            "a sentence that is cut behind the last word before its…",
        ),
        ("line\u2028separator", "line"),
        ("\u200b\n\ufeff\nWhat is seen", "What is seen"),
        ("evil\u202egnp.exe \u2066x", "evilgnp.exe x"),
        ("👩‍👩‍👧 plans", "👩‍👩‍👧 plans"),
        ("\u200b" * 100_000, "New conversation"),
    ],
)
def test_a_title_is_the_first_line_cut_at_a_word(prompt: str, title: str) -> None:
    assert title_from(prompt) == title


def test_a_turn_begins_behind_the_head_also_where_the_caller_holds_an_old_row(db: None) -> None:
    conversation = make_conversation(make_user(), model=make_model())
    stale = Conversation.objects.get(pk=conversation.pk)
    first = make_turn(conversation)
    Generation.objects.update(status=Status.COMPLETE)
    second = make_turn(stale)
    assert second.prompt.parent == first.answer


def test_a_refused_turn_leaves_nothing_behind(db: None) -> None:
    turn = make_turn()
    before = Message.objects.count()
    with pytest.raises(TurnRefused, match="still being written"):
        start_turn(turn.conversation, "again", make_model(), uuid.uuid4())
    with pytest.raises(TurnRefused):
        retry(turn.answer, make_model())
    assert Message.objects.count() == before


def test_an_answer_in_another_conversation_refuses_nothing(db: None) -> None:
    alice = make_user()
    make_turn(owner=alice)
    assert make_turn(owner=alice).generation.status == Status.QUEUED


def test_a_turn_makes_the_conversation_the_newest_and_its_model_the_picked_one(db: None) -> None:
    alice, model = make_user(), make_model()
    old, new = make_turn(owner=alice).conversation, make_turn(owner=alice).conversation
    Generation.objects.update(status=Status.COMPLETE)
    start_turn(old, "back to this", model, uuid.uuid4())
    assert list(alice.conversations.all()) == [old, new]
    assert Conversation.objects.get(pk=old.pk).model == model


def test_a_path_is_read_in_one_query_whatever_its_depth(db: None, django_assert_num_queries: object) -> None:
    conversation = make_conversation(make_user(), model=make_model())
    parent = None
    for number in range(300):
        parent = Message.objects.create(conversation=conversation, parent=parent, role=Role.USER, text=str(number))
    Message.objects.create(conversation=conversation, parent=None, role=Role.USER, text="another branch")
    with django_assert_num_queries(1):  # type: ignore[operator]
        texts = [message.text for message in Message.objects.path_to(parent and parent.pk)]
    assert texts == [str(number) for number in range(300)]
    assert list(Message.objects.path_to(None)) == []
    assert list(Message.objects.path_to(10**9)) == []


def test_answers_are_found_for_their_owner_alone(db: None) -> None:
    alice, bob = make_user(), make_user()
    turn = make_turn(owner=alice)
    assert list(Message.objects.answers_for(alice)) == [turn.answer]
    assert not Message.objects.answers_for(bob)
    turn.conversation.soft_delete()
    assert not Message.objects.answers_for(alice)


def test_the_trash_is_asked_for_by_name(db: None) -> None:
    conversation = make_conversation()
    conversation.soft_delete()
    assert Conversation.objects.get() == conversation
    assert (Conversation.objects.active().count(), Conversation.objects.trashed().count()) == (0, 1)
    conversation.restore()
    assert (Conversation.objects.active().count(), Conversation.objects.trashed().count()) == (1, 0)


def test_deleting_twice_keeps_the_first_date(db: None) -> None:
    conversation = make_conversation()
    conversation.soft_delete()
    first = Conversation.objects.get().deleted_at
    conversation.soft_delete()
    assert Conversation.objects.get().deleted_at == first


def test_two_prompts_never_share_a_request_key(db: None) -> None:
    prompt = make_turn().prompt
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.create(conversation=prompt.conversation, role=Role.USER, request_key=prompt.request_key)

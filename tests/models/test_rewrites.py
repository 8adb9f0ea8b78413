"""An answer that a person writes anew stands beside the one there was, and nothing is overwritten."""

import uuid

import pytest
from django.contrib.auth.models import User

from conversations.models import Generation, Message, Role, Status, Turn, TurnRefused, rate, rewrite
from conversations.models.branches import siblings_of
from conversations.models.messages import texts_to
from tests.conftest import in_parallel
from tests.factories import make_turn

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def turn(alice: User) -> Turn:
    turn = make_turn(owner=alice)
    Generation.objects.update(status=Status.COMPLETE)
    Message.objects.filter(pk=turn.answer.pk).update(text="The model's.")
    turn.answer.refresh_from_db()
    return turn


def test_the_new_answer_is_shown_and_the_old_one_stays(turn: Turn) -> None:
    written = rewrite(turn.answer, "Mine.", uuid.uuid4())
    assert (written.text, written.role, written.parent_id) == ("Mine.", Role.ASSISTANT, turn.prompt.pk)
    assert written.edited_at
    assert written.written_by == turn.generation.model_name
    turn.answer.refresh_from_db()
    assert (turn.answer.text, turn.answer.edited_at) == ("The model's.", None)
    turn.conversation.refresh_from_db()
    assert turn.conversation.head_id == written.pk
    assert siblings_of([written])[written.pk].count == 2


def test_the_next_turn_goes_on_from_what_was_written(turn: Turn) -> None:
    rewrite(turn.answer, "Mine.", uuid.uuid4())
    turn.conversation.refresh_from_db()
    later = make_turn(turn.conversation)
    assert [text for _, text, _ in texts_to(later.answer.pk)][1] == "Mine."


def test_an_edited_answer_can_be_edited_again(turn: Turn) -> None:
    again = rewrite(rewrite(turn.answer, "Mine.", uuid.uuid4()), "Better.", uuid.uuid4())
    assert again.written_by == turn.generation.model_name
    assert siblings_of([again])[again.pk].count == 3


def test_the_same_text_makes_no_other_answer(turn: Turn) -> None:
    assert rewrite(turn.answer, "The model's.", uuid.uuid4()) == turn.answer
    key = uuid.uuid4()
    assert rewrite(turn.answer, "Mine.", key) == rewrite(turn.answer, "Mine.", key)
    assert Message.objects.count() == 3


def test_a_key_that_is_another_texts_is_given_up(turn: Turn) -> None:
    key = uuid.uuid4()
    assert rewrite(turn.answer, "Mine.", key) != rewrite(turn.answer, "Other.", key)
    assert rewrite(turn.answer, "A prompt's key.", turn.prompt.request_key).text == "A prompt's key."


def test_nothing_is_written_beside_a_running_answer_or_a_deleted_turn(turn: Turn) -> None:
    Message.objects.filter(pk=turn.answer.pk).update(deleted_at="2026-01-01T00:00Z")
    with pytest.raises(TurnRefused, match="deleted"):
        rewrite(turn.answer, "Mine.", uuid.uuid4())
    Message.objects.update(deleted_at=None)
    Generation.objects.update(status=Status.RUNNING)
    with pytest.raises(TurnRefused, match="still being written"):
        rewrite(turn.answer, "Mine.", uuid.uuid4())
    turn.conversation.soft_delete()
    with pytest.raises(TurnRefused, match="has been deleted"):
        rewrite(turn.answer, "Mine.", uuid.uuid4())


@pytest.mark.django_db(transaction=True)
def test_two_that_are_sent_at_once_under_one_key_are_one(turn: Turn) -> None:
    key = uuid.uuid4()
    written = in_parallel(2, lambda _: rewrite(turn.answer, "Mine.", key).pk)
    assert written[0] == written[1]


def test_a_rating_is_kept_changed_and_taken_back(turn: Turn) -> None:
    up = rate(turn.answer, 1, "Clear.")
    down = rate(turn.answer, -1)
    assert up
    assert down
    assert (down.rating, down.comment) == (-1, "Clear.")
    assert rate(turn.answer, 0) is None
    assert rate(turn.answer, 0) is None
    assert not hasattr(Message.objects.get(pk=turn.answer.pk), "feedback")

"""The tree of messages: what stands beside what, which path is shown, and what becomes of it when a turn is deleted."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.models import (
    Conversation,
    Generation,
    LanguageModel,
    Message,
    Siblings,
    Status,
    Turn,
    TurnRefused,
    choose,
    delete_turn,
    edit,
    go_on,
    keep,
    restore_turn,
    retry,
    siblings_of,
)
from conversations.models.branches import Shown
from tests.factories import make_model, make_turn

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def ended(turn: Turn, text: str = "an answer", status: Status = Status.COMPLETE) -> Turn:
    for answer in turn.answers:
        Generation.objects.filter(message=answer).update(status=status)
        Message.objects.filter(pk=answer.pk).update(text=text)
        answer.refresh_from_db()
    turn.conversation.refresh_from_db()
    return turn


def edited(turn: Turn, text: str) -> Turn:
    assert turn.conversation.model
    return ended(edit(turn.prompt, text, turn.conversation.model, uuid.uuid4()))


def again(turn: Turn, model: LanguageModel | None = None, **how: LanguageModel) -> Turn:
    model = model or turn.conversation.model
    assert model
    return ended(retry(turn.answer, model, **how))


def path(conversation: Conversation) -> list[Message]:
    conversation.refresh_from_db()
    return list(Message.objects.path_to(conversation.head_id))


@pytest.fixture
def first() -> Turn:
    return ended(make_turn(prompt="one"))


def test_an_edited_prompt_stands_beside_the_old_one_with_an_answer_of_its_own(first: Turn) -> None:
    second = ended(make_turn(first.conversation, "two"))
    new = edited(second, "two, but better")
    assert path(first.conversation) == [first.prompt, first.answer, new.prompt, new.answer]
    assert Message.objects.get(pk=second.prompt.pk).text == "two"
    assert new.prompt.parent == first.answer


def test_the_first_prompt_can_be_edited(first: Turn) -> None:
    new = edited(first, "another beginning")
    assert path(first.conversation) == [new.prompt, new.answer]
    assert new.prompt.parent is None


def test_an_answer_in_the_middle_is_given_again_and_what_followed_it_stays_on_its_branch(first: Turn) -> None:
    second = ended(make_turn(first.conversation, "two"))
    new = again(first)
    assert path(first.conversation) == [first.prompt, new.answer]
    choose(first.answer)
    assert path(first.conversation) == [first.prompt, first.answer, second.prompt, second.answer]


def test_to_choose_leads_to_the_newest_end_of_that_branch(first: Turn) -> None:
    old = ended(make_turn(first.conversation, "two"))
    newer = edited(old, "two, newer")
    edited(first, "elsewhere")
    choose(first.prompt)
    assert path(first.conversation)[-1] == newer.answer
    choose(old.prompt)
    assert path(first.conversation)[-1] == old.answer


def test_each_message_of_a_path_knows_its_place_among_its_siblings_in_one_query(first: Turn) -> None:
    second = again(first)
    third = again(first)
    asked = ended(make_turn(third.conversation, "and"))
    shown = path(first.conversation)
    with CaptureQueriesContext(connection) as captured:
        places = siblings_of(shown)
    assert len(captured) == 1
    assert places == {third.answer.pk: Siblings(3, 3, second.answer.pk, None)}
    choose(second.answer)
    assert siblings_of(path(first.conversation)) == {second.answer.pk: Siblings(2, 3, first.answer.pk, third.answer.pk)}
    assert asked.prompt.pk not in places


def test_first_prompts_of_other_conversations_are_no_siblings(first: Turn) -> None:
    make_turn(prompt="of somebody else")
    assert siblings_of(path(first.conversation)) == {}
    new = edited(first, "another beginning")
    assert siblings_of(path(first.conversation)) == {new.prompt.pk: Siblings(2, 2, first.prompt.pk, None)}
    assert siblings_of([]) == {}


def test_a_deleted_sibling_is_not_counted(first: Turn) -> None:
    new = edited(first, "another beginning")
    delete_turn(new.prompt)
    assert siblings_of(path(first.conversation)) == {}


def test_two_models_answer_at_once_and_one_answer_is_kept(first: Turn) -> None:
    one, other = make_model(), make_model()
    turn = retry(first.answer, one, other)
    assert turn.rival
    conversation = Conversation.objects.get(pk=first.conversation.pk)
    assert (conversation.head, conversation.rival) == (turn.answer, turn.rival)
    assert [answer.generation.model for answer in turn.answers] == [one, other]
    with pytest.raises(TurnRefused, match="still being written"):
        make_turn(conversation, "next")
    assert keep(turn.rival) == [turn.generation.pk]
    assert Generation.objects.get(pk=turn.generation.pk).status == Status.STOPPED
    conversation.refresh_from_db()
    assert (conversation.head, conversation.rival) == (turn.rival, None)
    assert Generation.objects.get(message=turn.rival).status == Status.QUEUED


def test_a_new_prompt_follows_the_head_and_ends_the_comparison(first: Turn) -> None:
    turn = again(first, make_model(), rival=make_model())
    following = make_turn(turn.conversation, "next")
    assert following.prompt.parent == turn.answer
    assert Conversation.objects.get(pk=turn.conversation.pk).rival is None


def test_an_answer_that_was_cut_off_is_continued_beside_it(first: Turn) -> None:
    cut = ended(make_turn(first.conversation, "two"), "Half of", Status.STOPPED)
    assert cut.generation.model
    longer = go_on(Message.objects.select_related("generation", "conversation").get(pk=cut.answer.pk), cut.generation.model)
    assert (longer.answer.parent, longer.answer.continues) == (cut.prompt, cut.answer)
    assert list(longer.generation.journal.values_list("kind", "data")) == [("text_delta", "Half of")]
    assert Message.objects.get(pk=cut.answer.pk).text == "Half of"


@pytest.mark.parametrize(
    ("status", "finish_reason", "text", "possible"),
    [
        (Status.COMPLETE, "stop", "All.", False),
        (Status.COMPLETE, "length", "Half", True),
        (Status.COMPLETE, "MAX_TOKENS", "Half", True),
        (Status.STOPPED, "", "Half", True),
        (Status.FAILED, "", "Half", True),
        (Status.INTERRUPTED, "", "Half", True),
        (Status.FAILED, "", " \n", False),
    ],
)
def test_only_an_answer_with_text_that_was_cut_off_can_be_continued(
    first: Turn, status: Status, finish_reason: str, text: str, possible: bool
) -> None:
    Generation.objects.update(status=status, finish_reason=finish_reason)
    Message.objects.filter(pk=first.answer.pk).update(text=text)
    answer = Message.objects.select_related("generation__model", "conversation").get(pk=first.answer.pk)
    assert answer.can_be_continued == possible
    if not possible:
        with pytest.raises(TurnRefused, match="whole"):
            go_on(answer, answer.generation.model)


def test_a_deleted_turn_takes_along_all_that_followed_it_and_the_path_ends_before_it(first: Turn) -> None:
    second = ended(make_turn(first.conversation, "two"))
    old = again(second)
    ended(make_turn(old.conversation, "three"))
    assert delete_turn(second.prompt) == []
    assert path(first.conversation) == [first.prompt, first.answer]
    deleted = Message.objects.exclude(deleted_at=None)
    assert deleted.count() == 5
    assert len(set(deleted.values_list("deleted_at", flat=True))) == 1


def test_where_another_prompt_stands_beside_a_deleted_one_it_is_shown(first: Turn) -> None:
    second = ended(make_turn(first.conversation, "two"))
    new = edited(second, "two, but better")
    delete_turn(new.prompt)
    assert path(first.conversation)[-1] == second.answer
    delete_turn(second.prompt)
    assert path(first.conversation)[-1] == first.answer


def test_a_conversation_without_a_turn_goes_on_with_a_new_first_one(first: Turn) -> None:
    delete_turn(first.prompt)
    assert path(first.conversation) == []
    assert make_turn(first.conversation, "afresh").prompt.parent is None


def test_a_deleted_turn_is_restored_with_what_went_with_it_and_no_more(first: Turn) -> None:
    second = ended(make_turn(first.conversation, "two"))
    third = ended(make_turn(second.conversation, "three"))
    delete_turn(third.prompt)
    delete_turn(second.prompt)
    with pytest.raises(TurnRefused, match="too"):
        restore_turn(third.prompt)
    restore_turn(second.prompt)
    assert path(first.conversation)[-1] == second.answer
    restore_turn(third.prompt)
    restore_turn(third.prompt)
    assert path(first.conversation)[-1] == third.answer
    assert not Message.objects.exclude(deleted_at=None)


def test_undo_shows_the_path_that_was_shown_and_not_the_newest_end(first: Turn) -> None:
    second = ended(make_turn(first.conversation, "two"))
    newest = again(second)
    choose(second.answer)
    for shown, expected in ((Shown(second.answer.pk), second.answer), (Shown(newest.answer.pk), newest.answer), (None, newest.answer)):
        delete_turn(second.prompt)
        restore_turn(second.prompt, shown)
        assert path(first.conversation)[-1] == expected


def test_undo_of_a_turn_off_the_shown_path_leaves_that_as_it_is(first: Turn) -> None:
    second = ended(make_turn(first.conversation, "two"))
    new = edited(second, "two, but better")
    delete_turn(second.prompt)
    restore_turn(second.prompt, Shown(new.answer.pk))
    assert path(first.conversation)[-1] == new.answer


def test_undo_shows_a_comparison_again_and_nothing_that_never_was_one(first: Turn) -> None:
    turn = again(first, make_model(), rival=make_model())
    assert turn.rival
    other = ended(make_turn(prompt="of another conversation"))
    for rival in (turn.rival.pk, first.prompt.pk, turn.answer.pk, other.answer.pk, 10**18):
        expected = turn.rival.pk if rival == turn.rival.pk else None
        delete_turn(first.prompt)
        restore_turn(first.prompt, Shown(turn.answer.pk, rival))
        first.conversation.refresh_from_db()
        assert (first.conversation.head_id, first.conversation.rival_id) == (turn.answer.pk, expected)


def test_undo_leads_to_an_end_whatever_it_is_told_was_shown(first: Turn) -> None:
    second = ended(make_turn(first.conversation, "two"))
    other = ended(make_turn(prompt="of another conversation"))
    for head in (first.answer.pk, other.answer.pk, 10**18):
        delete_turn(second.prompt)
        restore_turn(second.prompt, Shown(head))
        assert path(first.conversation)[-1] == second.answer


def test_what_is_being_written_in_a_deleted_turn_is_stopped(first: Turn) -> None:
    running = make_turn(first.conversation, "two")
    assert running.generation.claim("owner")
    assert delete_turn(running.prompt) == [running.generation.pk]
    assert delete_turn(running.prompt) == []
    assert Generation.objects.get(pk=running.generation.pk).stop_requested_at
    assert path(first.conversation) == [first.prompt, first.answer]


def test_nothing_begins_on_a_branch_that_has_been_deleted(first: Turn) -> None:
    model = make_model()
    second = ended(make_turn(first.conversation, "two"), status=Status.STOPPED)
    delete_turn(second.prompt)
    before = Message.objects.count()
    for begin in (
        lambda: retry(second.answer, model),
        lambda: go_on(second.answer, model),
        lambda: edit(second.prompt, "x", model, uuid.uuid4()),
        lambda: choose(second.answer),
        lambda: keep(second.answer),
    ):
        with pytest.raises(TurnRefused, match="deleted meanwhile"):
            begin()
    assert Message.objects.count() == before


def test_a_running_answer_on_a_branch_that_is_not_shown_refuses_a_turn_and_says_where_it_is(first: Turn) -> None:
    assert first.conversation.model
    retry(first.answer, first.conversation.model)
    choose(first.answer)
    first.conversation.refresh_from_db()
    with pytest.raises(TurnRefused, match="on another branch"):
        make_turn(first.conversation, "two")


def test_the_same_edit_under_the_same_key_is_one_turn(first: Turn) -> None:
    key, model = uuid.uuid4(), make_model()
    once = edit(first.prompt, "better", model, key)
    assert edit(first.prompt, "better", model, key) == once
    with pytest.raises(TurnRefused, match="still being written"):
        edit(first.prompt, "best", model, key)
    ended(once)
    assert edit(first.prompt, "best", model, key).prompt != once.prompt

"""A page shows a passage of a path: what it holds, and what comes before and after it."""

import pytest
from django.contrib.auth.models import User

from conversations.models import Conversation, Message
from conversations.models.passages import LENGTH, Passage, last_passage, passage_around, passage_before
from tests.factories import make_conversation, make_path

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def keys(passage: Passage | None) -> list[int]:
    assert passage is not None
    return [message.pk for message in passage.messages]


@pytest.fixture
def conversation(alice: User) -> Conversation:
    return make_conversation(alice)


def test_a_short_conversation_is_one_passage(conversation: Conversation) -> None:
    path = make_path(conversation, 4)
    passage = last_passage(conversation)
    assert keys(passage) == [message.pk for message in path]
    assert (passage.earlier, passage.later, passage.is_end) == (0, 0, True)


def test_an_empty_conversation_is_an_empty_passage_that_a_prompt_may_follow(conversation: Conversation) -> None:
    passage = last_passage(conversation)
    assert (keys(passage), passage.earlier, passage.later, passage.is_end) == ([], 0, 0, True)


def test_going_backwards_meets_each_message_once(conversation: Conversation) -> None:
    path = make_path(conversation, 2 * LENGTH + 5)
    passage, met = last_passage(conversation), []
    while True:
        met = keys(passage) + met
        if not passage.earlier:
            break
        passage = passage_before(conversation, passage.earlier)
        assert not passage.is_end
    assert met == [message.pk for message in path]


def test_only_what_is_newer_than_a_message_is_read(conversation: Conversation) -> None:
    path = make_path(conversation, 8)
    assert keys(last_passage(conversation, after=path[5].pk)) == [path[6].pk, path[7].pk]
    assert keys(last_passage(conversation, after=path[7].pk)) == []


def test_a_message_stands_in_the_middle_of_what_is_around_it(conversation: Conversation) -> None:
    path = make_path(conversation, 4 * LENGTH)
    passage = passage_around(conversation, path[2 * LENGTH].pk)
    assert passage is not None
    assert keys(passage) == [message.pk for message in path[1 + 2 * LENGTH - LENGTH // 2 :][:LENGTH]]
    assert (passage.earlier, passage.later, passage.is_end) == (passage.messages[0].pk, passage.messages[-1].pk, False)


def test_what_is_around_one_of_the_last_messages_is_the_last_passage(conversation: Conversation) -> None:
    path = make_path(conversation, 2 * LENGTH)
    passage = passage_around(conversation, path[-LENGTH // 2].pk)
    assert passage == last_passage(conversation)
    assert passage.is_end


def test_a_message_on_another_branch_is_shown_on_it_and_the_kept_path_stays(conversation: Conversation) -> None:
    trunk = make_path(conversation, 4)
    old = make_path(conversation, 2, parent=trunk[1])
    older = make_path(conversation, 2, parent=trunk[1])
    conversation.head = trunk[3]
    conversation.save()
    passage = passage_around(conversation, old[0].pk)
    assert keys(passage) == [trunk[0].pk, trunk[1].pk, old[0].pk, old[1].pk]
    assert passage is not None
    assert (passage.later, passage.is_end) == (0, False)
    assert keys(passage_around(conversation, trunk[1].pk)) == [message.pk for message in trunk]
    conversation.head = None
    around = passage_around(conversation, trunk[1].pk)
    assert around is not None
    assert around.leaf == older[1].pk


def test_messages_of_others_and_deleted_ones_are_not_found(conversation: Conversation) -> None:
    path, elsewhere = make_path(conversation, 4), make_path(make_conversation(conversation.owner), 2)
    Message.objects.filter(pk=path[3].pk).update(deleted_at="2026-01-01T00:00Z")
    for pk in (elsewhere[1].pk, path[3].pk, 0, 10**15):
        assert passage_around(conversation, pk) is None
    assert keys(passage_before(conversation, elsewhere[1].pk)) == []
    assert keys(passage_around(conversation, path[2].pk)) == [message.pk for message in path[:3]]


def test_a_cycle_in_the_tree_ends_a_passage_and_not_the_page(conversation: Conversation) -> None:
    path = make_path(conversation, 4)
    Message.objects.filter(pk=path[0].pk).update(parent=path[3])
    assert sorted(keys(last_passage(conversation))) == [message.pk for message in path]

"""A fork is a conversation of its own that begins as the other one did."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.models import Conversation, Generation, Message, Status, TurnRefused, Usage, delete_turn, fork, retry
from tests.factories import make_conversation, make_model, make_turn, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def ended_turns(count: int) -> Conversation:
    conversation = make_conversation(make_user(), model=make_model(name="Careful 7B"), system_prompt="Be kind.", parameters={"top_p": 1})
    for number in range(count):
        turn = make_turn(conversation, f"prompt {number}")
        Generation.objects.update(status=Status.COMPLETE)
        Message.objects.filter(pk=turn.answer.pk).update(text=f"answer {number}", reasoning="hm")
        conversation.refresh_from_db()
    return conversation


def texts(conversation: Conversation) -> list[str]:
    return [message.text for message in Message.objects.path_to(conversation.head_id)]


def test_a_fork_has_the_path_up_to_the_message_and_nothing_of_other_branches() -> None:
    old = ended_turns(3)
    branch = retry(Message.objects.get(text="answer 1"), make_model())
    Generation.objects.update(status=Status.COMPLETE)
    new = fork(Message.objects.select_related("conversation").get(text="answer 1"))
    assert texts(new) == ["prompt 0", "answer 0", "prompt 1", "answer 1"]
    assert new.messages.count() == 4
    assert branch.answer.conversation == old


def test_a_fork_keeps_what_the_conversation_was_set_to_and_who_wrote_and_when() -> None:
    old = ended_turns(1)
    head = Message.objects.select_related("conversation").get(pk=old.head_id)
    new = fork(head)
    assert (new.owner, new.model, new.system_prompt, new.parameters) == (old.owner, old.model, "Be kind.", {"top_p": 1})
    assert new.title == f"{old.title} (fork)"
    copy = Message.objects.get(pk=new.head_id)
    assert (copy.model_name, copy.reasoning, copy.created_at) == ("Careful 7B", "hm", head.created_at)
    assert fork(copy).messages.get(role="assistant").model_name == "Careful 7B"


def test_a_fork_writes_no_ledger_and_the_two_go_apart() -> None:
    old = ended_turns(1)
    new = fork(Message.objects.select_related("conversation").get(pk=old.head_id))
    assert (Generation.objects.count(), Usage.objects.count()) == (1, 0)
    make_turn(new, "only here")
    assert texts(old) == ["prompt 0", "answer 0"]


def test_a_long_title_is_cut_and_not_refused() -> None:
    old = ended_turns(1)
    old.rename("x" * 200)
    assert len(fork(Message.objects.select_related("conversation").get(pk=old.head_id)).title) == 200


def test_what_is_being_written_or_was_deleted_is_not_forked() -> None:
    turn = make_turn()
    with pytest.raises(TurnRefused, match="still being written"):
        fork(turn.answer)
    assert fork(turn.prompt).messages.count() == 1
    delete_turn(turn.prompt)
    with pytest.raises(TurnRefused, match="deleted"):
        fork(turn.answer)


@pytest.mark.parametrize("turns", [1, 12])
def test_a_fork_asks_the_same_however_long_the_path_is(turns: int) -> None:
    head = Message.objects.select_related("conversation").get(pk=ended_turns(turns).head_id)
    with CaptureQueriesContext(connection) as captured:
        fork(head)
    statements = [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == 8

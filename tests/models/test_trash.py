"""The trash: what goes for good, when, and what stays. And temporary conversations, which are gone soon after they are closed."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import F
from django.utils import timezone

from conversations.models import (
    Conversation,
    Feedback,
    Folder,
    Generation,
    Import,
    LanguageModel,
    Message,
    Rendering,
    Share,
    Status,
    Turn,
    Usage,
    temporary,
    trash,
)
from tests.factories import make_conversation, make_folder, make_turn

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
LONG_AGO = timedelta(days=31)
NOTHING = dict.fromkeys(trash.EXPIRED, 0)


def purge(*options: str) -> str:
    out = StringIO()
    call_command("purge", *options, stdout=out)
    return out.getvalue()


def make_ended_turn(owner: User, model: LanguageModel, **fields: Any) -> Turn:
    """With a row of all that hangs on a turn."""
    turn = make_turn(owner=owner, model=model)
    Generation.objects.filter(pk=turn.generation.pk).update(status=Status.COMPLETE)
    usage = Usage(generation=turn.generation, input_tokens=5, conversation=turn.conversation)
    usage.take_prices(model)
    usage.save()
    Rendering.objects.create(message=turn.answer, version=1)
    Feedback.objects.create(message=turn.answer, rating=1)
    Share.objects.create(conversation=turn.conversation, head=turn.answer, title="x")
    Conversation.objects.filter(pk=turn.conversation.pk).update(**fields)
    return turn


def test_only_what_was_deleted_long_enough_ago_is_purged(alice: User) -> None:
    now, day = timezone.now(), timedelta(days=settings.TRASH_DAYS)
    kept = make_conversation(alice)
    fresh = make_conversation(alice, deleted_at=now - day + timedelta(minutes=1))
    make_conversation(alice, deleted_at=now - day - timedelta(minutes=1))
    purge()
    assert set(Conversation.objects.all()) == {kept, fresh}


def test_all_that_hangs_on_a_conversation_goes_with_it_but_the_ledger_stays(alice: User, model: LanguageModel) -> None:
    make_ended_turn(alice, model, deleted_at=timezone.now() - LONG_AGO)
    other = make_ended_turn(alice, model)
    cost = sum(usage.input_tokens for usage in Usage.objects.all())
    purge()
    assert set(Conversation.objects.all()) == {other.conversation}
    for kind in (Message, Generation, Rendering, Feedback, Share):
        assert kind._default_manager.count() == (2 if kind is Message else 1), kind
    assert Usage.objects.count() == 2
    assert Usage.objects.filter(generation=None, conversation=None, model=model).count() == 1
    assert sum(usage.input_tokens for usage in Usage.objects.all()) == cost


def test_a_dry_run_says_what_would_go_and_removes_nothing(alice: User, model: LanguageModel) -> None:
    make_ended_turn(alice, model, deleted_at=timezone.now() - LONG_AGO)
    make_folder(alice, deleted_at=timezone.now() - LONG_AGO)
    before = trash.to_purge()
    said = purge("--dry-run")
    counts = NOTHING | {"conversations in the trash": 1, "deleted folders": 1}
    assert said == f"Would remove: {', '.join(f'{count} {name}' for name, count in counts.items())}.\n"
    assert trash.to_purge() == before
    assert Conversation.objects.count() == 1
    assert purge() == said.replace("Would remove", "Removed")
    assert trash.to_purge() == NOTHING


def test_what_is_told_of_an_import_goes_when_it_has_been_over_for_long(alice: User) -> None:
    now = timezone.now()
    for name, finished_at in (("old", now - LONG_AGO), ("fresh", now), ("waiting", None)):
        row = Import.objects.create(owner=alice, file_name=name, finished_at=finished_at)
        Import.objects.filter(pk=row.pk).update(created_at=now - LONG_AGO)
    assert trash.purge()["imports that are over"] == 1
    assert set(Import.objects.values_list("file_name", flat=True)) == {"fresh", "waiting"}


def test_a_link_that_ended_long_ago_goes_and_no_other(alice: User, model: LanguageModel) -> None:
    now, turn = timezone.now(), make_ended_turn(alice, model)
    for title, revoked_at, expires_at in (
        ("revoked", now - LONG_AGO, None),
        ("expired", None, now - LONG_AGO),
        ("revoked just now", now, None),
        ("expired just now", None, now),
    ):
        Share.objects.create(conversation=turn.conversation, head=turn.answer, title=title, revoked_at=revoked_at, expires_at=expires_at)
    assert trash.purge() == NOTHING | {"links that ended": 2}
    assert set(Share.objects.values_list("title", flat=True)) == {"x", "revoked just now", "expired just now"}


def test_messages_that_were_deleted_long_ago_go_without_their_conversation(alice: User, model: LanguageModel) -> None:
    turn = make_ended_turn(alice, model)
    turn.conversation.refresh_from_db()
    later = make_turn(turn.conversation)
    Generation.objects.update(status=Status.COMPLETE)
    Message.objects.filter(pk__in=[later.prompt.pk, later.answer.pk]).update(deleted_at=timezone.now() - LONG_AGO)
    Conversation.objects.update(head=turn.answer)
    assert trash.purge()["deleted messages"] == 2
    assert list(Message.objects.all()) == [turn.prompt, turn.answer]
    assert Conversation.objects.get().head == turn.answer


def test_a_deep_branch_is_purged_in_batches_to_its_end(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trash, "BATCH", 7)
    conversation, parent = make_conversation(alice), None
    for _ in range(40):
        parent = Message.objects.create(
            conversation=conversation, parent=parent, role="user", text="x", deleted_at=timezone.now() - LONG_AGO
        )
    for _ in range(20):
        make_conversation(alice, deleted_at=timezone.now() - LONG_AGO)
    assert trash.purge() == NOTHING | {"deleted messages": 40, "conversations in the trash": 20}
    assert Conversation.objects.get() == conversation


def test_a_conversation_of_5000_messages_is_erased_whole(alice: User) -> None:
    conversation = make_conversation(alice, deleted_at=timezone.now() - LONG_AGO)
    Message.objects.bulk_create(Message(conversation=conversation, role="user", text="x") for _ in range(5000))
    first = Message.objects.order_by("pk")[0].pk
    Message.objects.filter(pk__gt=first).update(parent_id=F("pk") - 1)
    trash.purge()
    assert not Message.objects.exists()


def test_what_is_being_answered_is_left_until_its_cost_is_known(alice: User, model: LanguageModel) -> None:
    turn = make_turn(owner=alice, model=model)
    Conversation.objects.update(deleted_at=timezone.now() - LONG_AGO)
    assert trash.purge() == NOTHING
    Generation.objects.filter(pk=turn.generation.pk).update(status=Status.STOPPED)
    assert trash.purge()["conversations in the trash"] == 1


def test_a_deleted_folder_goes_and_its_conversations_stay(alice: User) -> None:
    folder = make_folder(alice, deleted_at=timezone.now() - LONG_AGO)
    conversation = make_conversation(alice, folder=folder)
    trash.purge()
    assert not Folder.objects.exists()
    assert Conversation.objects.get() == conversation


def test_a_temporary_conversation_is_swept_once_nobody_has_it_open(alice: User, model: LanguageModel) -> None:
    turn = make_ended_turn(alice, model, is_temporary=True)
    temporary.stay(turn.conversation)
    assert trash.sweep_temporary() == []
    assert Conversation.objects.exists()
    Conversation.objects.update(updated_at=timezone.now() - temporary.TIME_OUT - timedelta(seconds=1))
    assert trash.sweep_temporary() == []
    assert not Conversation.objects.exists()
    assert not Message.objects.exists()
    assert Usage.objects.get().model == model


def test_leaving_closes_it_after_a_grace_and_coming_back_in_time_keeps_it(alice: User) -> None:
    conversation = make_conversation(alice, is_temporary=True)
    temporary.leave(conversation)
    trash.sweep_temporary()
    conversation.refresh_from_db()
    assert timezone.now() - temporary.TIME_OUT < conversation.updated_at < timezone.now() - temporary.TIME_OUT + 2 * temporary.GRACE
    temporary.stay(conversation)
    conversation.refresh_from_db()
    assert conversation.updated_at > timezone.now() - temporary.GRACE
    Conversation.objects.update(updated_at=F("updated_at") - temporary.TIME_OUT)
    assert trash.purge() == NOTHING | {"temporary conversations": 1}


def test_leaving_and_staying_concern_temporary_conversations_only(alice: User) -> None:
    conversation = make_conversation(alice)
    before = conversation.updated_at
    temporary.leave(conversation)
    temporary.stay(conversation)
    conversation.refresh_from_db()
    assert conversation.updated_at == before
    Conversation.objects.update(updated_at=timezone.now() - LONG_AGO)
    trash.sweep_temporary()
    assert Conversation.objects.exists()


def test_a_closed_temporary_conversation_is_stopped_and_goes_when_its_cost_is_known(alice: User, model: LanguageModel) -> None:
    turn = make_turn(owner=alice, model=model)
    assert turn.generation.claim("somebody")
    Conversation.objects.update(is_temporary=True, deleted_at=timezone.now())
    Conversation.objects.update(deleted_at=None, updated_at=timezone.now() - LONG_AGO)
    assert trash.sweep_temporary() == [turn.generation.pk]
    assert trash.sweep_temporary() == []
    Generation.objects.update(status=Status.STOPPED)
    trash.sweep_temporary()
    assert not Conversation.objects.exists()

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations.generation.supervisor import supervisor
from conversations.models import Conversation, Generation, JournalEntry, Status
from tests.factories import make_conversation, make_model, make_provider, make_turn, make_user


def page(row: Any) -> str:
    return reverse(f"admin:conversations_{row._meta.model_name}_change", args=[row.pk])


def run(browser: Client, model: Any, action: str, *rows: Any) -> None:
    url = reverse(f"admin:conversations_{model._meta.model_name}_changelist")
    assert browser.post(url, {"action": action, "_selected_action": [row.pk for row in rows]}).status_code in {200, 302}


def test_the_page_of_a_generation_says_what_went_wrong_as_text(root: Client) -> None:
    model = make_model(make_provider(api_key="sk-echoed"))
    generation = make_turn(model=model).generation
    Generation.objects.filter(pk=generation.pk).update(
        status=Status.FAILED, owner="host:1", error_code="refused", error_sentence="It refused.", error_detail="<b>no</b> sk-echoed"
    )
    body = root.get(page(generation)).content.decode()
    for shown in ("failed", "host:1", "refused", "It refused.", "&lt;b&gt;no&lt;/b&gt;", page(generation.message)):
        assert shown.lower() in body.lower()
    assert "<b>no</b>" not in body
    assert "sk-echoed" not in body


def test_stop_reaches_queued_and_running_generations_and_no_other(root: Client) -> None:
    queued, running, ended = (make_turn().generation for _ in range(3))
    assert running.claim("host:1")
    assert ended.claim("host:1")
    assert ended.finish(Status.COMPLETE)
    run(root, Generation, "stop", queued, running, ended)
    for generation in (queued, running, ended):
        generation.refresh_from_db()
    assert (queued.status, running.status, ended.status) == (Status.STOPPED, Status.RUNNING, Status.COMPLETE)
    assert running.stop_requested_at
    assert not ended.stop_requested_at
    assert LogEntry.objects.count() == 2


def test_stop_is_on_the_page_of_a_generation(root: Client) -> None:
    generation = make_turn().generation
    form = {"CHANGE_FORM-action": "stop", "_selected_action": [generation.pk], "index": 0}
    assert root.post(page(generation), form).status_code == 302
    generation.refresh_from_db()
    assert generation.status == Status.STOPPED


def test_who_may_only_look_cannot_stop_or_trash(client: Client, db: None) -> None:
    generation = make_turn().generation
    client.force_login(make_user(is_staff=True, permissions=("view_generation", "view_conversation")))
    run(client, Generation, "stop", generation)
    run(client, Conversation, "move_to_trash", generation.message.conversation)
    generation.refresh_from_db()
    assert generation.status == Status.QUEUED
    assert Conversation.objects.active().exists()


def test_the_journal_is_shown_only_to_who_may_read_it(client: Client, db: None) -> None:
    generation = make_turn().generation
    JournalEntry.objects.create(generation=generation, position=1, kind="text_delta", data="Private <i>words</i>")
    carol = make_user("carol", is_staff=True, permissions=("view_generation",))
    client.force_login(carol)
    assert "Private" not in client.get(page(generation)).content.decode()
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    assert "Private &lt;i&gt;words&lt;/i&gt;" in client.get(page(generation)).content.decode()


def test_a_conversation_goes_to_the_trash_and_back(root: Client) -> None:
    conversation = make_turn().conversation
    run(root, Conversation, "move_to_trash", conversation)
    assert Conversation.objects.trashed().get() == conversation
    run(root, Conversation, "restore", conversation)
    assert Conversation.objects.active().get() == conversation


def test_a_temporary_conversation_is_left_to_its_end(root: Client) -> None:
    open_one = make_conversation(make_user("dave"), is_temporary=True)
    closed = make_conversation(make_user("erin"), is_temporary=True, deleted_at=timezone.now())
    run(root, Conversation, "move_to_trash", open_one, closed)
    run(root, Conversation, "restore", open_one, closed)
    assert set(Conversation.objects.active()) == {open_one}
    assert not LogEntry.objects.exists()


def test_what_is_answered_in_a_conversation_that_goes_to_the_trash_is_stopped(root: Client) -> None:
    generation = make_turn().generation
    assert generation.claim("a process")
    run(root, Conversation, "move_to_trash", generation.message.conversation)
    generation.refresh_from_db()
    assert generation.stop_requested_at


def test_a_user_with_conversations_cannot_be_deleted_by_way_of_the_user_page(root: Client) -> None:
    owner = make_turn().conversation.owner
    root.post(reverse("admin:auth_user_delete", args=[owner.pk]), {"post": "yes"})
    assert User.objects.filter(pk=owner.pk).exists()
    assert Conversation.objects.exists()


def test_a_message_as_long_as_they_come_can_be_opened(root: Client) -> None:
    answer = make_turn(prompt="x" * 200_000).answer
    assert root.get(page(answer.parent)).status_code == 200
    assert page(answer.generation) in root.get(page(answer)).content.decode()


def test_nobody_is_told_to_stop_before_the_trash_is_committed(root: Client, django_capture_on_commit_callbacks: Any) -> None:
    generation = make_turn().generation
    assert generation.claim("a process")
    with django_capture_on_commit_callbacks() as callbacks:
        run(root, Conversation, "move_to_trash", generation.message.conversation)
    notices = [callback for callback in callbacks if getattr(callback, "func", None) == supervisor.notify]
    assert [notice.args for notice in notices] == [(generation.pk,)]

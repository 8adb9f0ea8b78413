"""The archive, the trash and the folders, as pages; and what leaves the trash for good."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations.models import Conversation, Folder, Generation, LanguageModel, Status, Usage
from conversations.views import shelves
from tests.factories import make_conversation, make_folder, make_turn

URL = "/conversations/selection"
HOUR = timedelta(hours=1)


def body_of(response: Any) -> str:
    assert response.status_code == 200
    return response.content.decode()


def keys(body: str) -> list[int]:
    return [int(key) for key in re.findall(r'form="shelf" name="conversation" value="(\d+)"', body)]


def make_many(owner: User, amount: int, field: str) -> list[int]:
    now = timezone.now()
    Conversation.objects.bulk_create(Conversation(owner=owner, title=f"N{n}", **{field: now - n // 3 * HOUR}) for n in range(amount))
    return list(Conversation.objects.filter(owner=owner).order_by(f"-{field}", "-pk").values_list("pk", flat=True))


@pytest.mark.parametrize("path", ["/archive", "/trash", "/folders"])
def test_an_empty_shelf_says_so(alices: Client, path: str) -> None:
    body = body_of(alices.get(path))
    assert re.search(r'class="lead">[^<]+\.<', body)
    assert 'id="shelf"' not in body


@pytest.mark.parametrize(("path", "field"), [("/archive", "archived_at"), ("/trash", "deleted_at")])
def test_a_shelf_lists_what_is_ones_own_a_page_at_a_time(alice: User, alices: Client, bob: User, path: str, field: str) -> None:
    wanted = make_many(alice, shelves.LENGTH + 4, field)
    if field == "archived_at":
        wanted = list(Conversation.objects.filter(owner=alice).values_list("pk", flat=True))
    make_many(bob, 2, field)
    make_conversation(alice, is_temporary=True, **{field: timezone.now()})
    first = body_of(alices.get(path))
    older = re.search(r'href="(\?after=[^"]+)"', first)
    assert older
    second = body_of(alices.get(path + older[1]))
    assert keys(first) + keys(second) == wanted
    assert "?after=" not in second


def test_the_trash_says_when_each_will_be_gone(alice: User, alices: Client, settings: Any) -> None:
    settings.TRASH_DAYS = 10
    make_conversation(alice, title="<b>Gone</b>", deleted_at=datetime(2026, 1, 25, 12, tzinfo=timezone.get_current_timezone()))
    body = body_of(alices.get("/trash"))
    assert "Gone for good on 4 February 2026" in body
    assert "&lt;b&gt;Gone" in body


def test_what_is_restored_from_the_trash_is_back_and_the_trash_says_so(alice: User, alices: Client) -> None:
    rows = [make_conversation(alice, deleted_at=timezone.now()) for _ in range(3)]
    fields = {"do": "restore", "conversation": [rows[0].pk, rows[1].pk], "next": "/trash"}
    response = alices.post(URL, fields, follow=True)
    assert keys(body_of(response)) == [rows[2].pk]
    assert Conversation.objects.listed().count() == 2


def test_deleting_for_good_asks_first_and_then_does_it_to_the_chosen_only(alice: User, alices: Client, model: LanguageModel) -> None:
    turn = make_turn(owner=alice, model=model)
    usage = Usage(generation=turn.generation)
    usage.take_prices(model)
    usage.save()
    Generation.objects.update(status=Status.COMPLETE)
    Conversation.objects.update(deleted_at=timezone.now())
    other, active = make_conversation(alice, deleted_at=timezone.now()), make_conversation(alice)
    fields = {"do": "erase", "conversation": [turn.conversation.pk, active.pk]}
    assert "This cannot be undone." in body_of(alices.post(URL, fields))
    assert Conversation.objects.count() == 3
    alices.post(URL, fields | {"sure": "1"})
    assert set(Conversation.objects.all()) == {other, active}
    assert Usage.objects.get().generation is None


def test_emptying_the_trash_asks_first_and_takes_nobody_elses(alice: User, alices: Client, bob: User) -> None:
    make_many(alice, 5, "deleted_at")
    kept, foreign = make_conversation(alice), make_conversation(bob, deleted_at=timezone.now())
    assert "Empty the trash?" in body_of(alices.get("/trash/empty"))
    assert Conversation.objects.count() == 7
    alices.post("/trash/empty")
    assert Conversation.objects.count() == 7  # without the question there is no answer to it
    alices.post("/trash/empty", {"sure": "1"})
    assert set(Conversation.objects.all()) == {kept, foreign}


def test_the_trash_is_empty_at_once_however_much_is_in_it(alice: User, alices: Client) -> None:
    make_many(alice, 521, "deleted_at")
    assert "The trash is empty." in body_of(alices.post("/trash/empty", {"sure": "1"}, follow=True))
    assert not Conversation.objects.exists()


def test_what_is_still_being_answered_stays_in_the_trash_until_its_cost_is_known(alice: User, alices: Client, model: LanguageModel) -> None:
    turn = make_turn(owner=alice, model=model)
    assert turn.generation.claim("somebody")
    turn.conversation.soft_delete()
    alices.post("/trash/empty", {"sure": "1"})
    assert Conversation.objects.trashed().get() == turn.conversation


def test_a_folder_is_made_renamed_deleted_and_had_back_with_what_was_in_it(alice: User, alices: Client) -> None:
    response = alices.post("/folders", {"name": "  Sea "})
    folder = Folder.objects.get()
    assert (folder.name, response["Location"]) == ("Sea", f"/?folder={folder.pk}")
    conversation = make_conversation(alice, folder=folder)
    alices.post(f"/folders/{folder.pk}/rename", {"name": "<i>Sand</i>"})
    assert "&lt;i&gt;Sand" in body_of(alices.get("/folders"))
    notice = body_of(alices.post(f"/folders/{folder.pk}/delete", follow=True))
    assert "was deleted. Its conversations are all still there." in notice
    assert f"/folders/{folder.pk}/restore" in notice
    assert Conversation.objects.listed().get() == conversation
    assert f"folder={folder.pk}" not in body_of(alices.get(f"/sidebar?folder={folder.pk}"))
    alices.post(f"/folders/{folder.pk}/restore")
    assert f"/conversations/{conversation.pk}?folder={folder.pk}" in body_of(alices.get(f"/sidebar?folder={folder.pk}"))


def test_two_folders_of_one_name_are_refused_with_a_sentence(alice: User, alices: Client) -> None:
    sea, sand, old = (make_folder(alice, name=name) for name in ("Sea", "Sand", "Old"))
    old.soft_delete()
    assert alices.post(f"/folders/{sand.pk}/rename", {"name": "Sea"}).status_code == 422
    assert alices.post(f"/folders/{sand.pk}/rename", {"name": "Old"}).status_code == 302
    refused = alices.post(f"/folders/{old.pk}/restore")
    assert (refused.status_code, f'action="/folders/{old.pk}/restore"' in refused.content.decode()) == (422, True)
    assert alices.post("/folders", {"name": "Sea"})["Location"] == f"/?folder={sea.pk}"


def test_a_rename_that_is_refused_is_refused_where_it_was_typed(alice: User, alices: Client) -> None:
    make_folder(alice, name="Sea")
    folder = make_folder(alice, name="Sand")
    for name in ("Sea", "x" * 101):
        body = alices.post(f"/folders/{folder.pk}/rename", {"name": name}).content.decode()
        form = re.search(rf'action="/folders/{folder.pk}/rename".*?</form>', body, re.DOTALL)
        assert form
        assert f'name="name" value="{name}"' in form[0]
    assert len(re.findall(r'role="alert">\w', body)) == form[0].count('role="alert"') == 1


@pytest.mark.parametrize("name", ["", "\u200b", "x" * 101, "nul\0"])
def test_a_folder_is_not_made_or_renamed_without_a_name(alice: User, alices: Client, name: str) -> None:
    folder = make_folder(alice, name="Sea")
    for path in ("/folders", f"/folders/{folder.pk}/rename"):
        response = alices.post(path, {"name": name})
        assert response.status_code == 422
        assert 'role="alert"' in response.content.decode()
    assert Folder.objects.get().name == "Sea"


def test_a_new_chat_begun_in_a_folder_is_filed_there(alice: User, alices: Client, bob: User, model: LanguageModel) -> None:
    folder, foreign = make_folder(alice), make_folder(bob)
    assert f'name="folder" value="{folder.pk}" form="composer"' in body_of(alices.get(f"/?folder={folder.pk}"))
    for wanted in (folder.pk, foreign.pk, "x", 10**30):
        alices.post("/conversations", {"prompt": "hello", "model": model.pk, "folder": wanted})
    assert [row.folder for row in Conversation.objects.order_by("pk")] == [folder, None, None, None]


@pytest.mark.parametrize("amount", [1, 30])
@pytest.mark.parametrize("path", ["/archive", "/trash", "/folders"])
def test_a_shelf_asks_the_same_however_much_is_on_it(alice: User, alices: Client, path: str, amount: int) -> None:
    for n in range(amount):
        make_conversation(alice, folder=make_folder(alice), **{("archived_at", "deleted_at")[n % 2]: timezone.now()})
    make_conversation(alice, deleted_at=timezone.now())
    with CaptureQueriesContext(connection) as captured:
        alices.get(path)
    assert len(captured) == {"/archive": 5, "/trash": 5, "/folders": 5}[path]

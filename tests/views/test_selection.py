"""What is done to conversations, one or many together, is undone as it was done; and nobody does it to a stranger's."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from conversations.generation.changes import changes
from conversations.models import Conversation, Folder, Generation, LanguageModel, Share, Status
from conversations.views.acts import MOST
from tests.factories import make_conversation, make_folder, make_turn

HTMX = {"HX-Request": "true"}
URL = "/conversations/selection"


def act(browser: Client, do: str, *chosen: Conversation, **fields: Any) -> Any:
    return browser.post(URL, {"do": do, "conversation": [row.pk for row in chosen], **fields}, follow=True)


def state() -> list[Any]:
    return list(Conversation.objects.order_by("pk").values("pk", "folder"))


def undo(browser: Client, body: str) -> Any:
    """Press the button of the notice."""
    form = re.search(r'<div class="notice".*?</form>', body, re.DOTALL)
    assert form, body
    chosen = re.findall(r'name="conversation" value="([^"]+)"', form[0])
    (do,) = re.findall(r'name="do" value="(\w+)"', form[0])
    return browser.post(URL, {"do": do, "conversation": chosen}, headers=HTMX)


@pytest.mark.parametrize(("do", "done"), [("archive", "archived"), ("delete", "deleted")])
def test_many_are_put_away_together_and_had_back_together(alice: User, alices: Client, do: str, done: str) -> None:
    rows = [make_conversation(alice) for _ in range(3)]
    other = make_conversation(alice)
    response = act(alices, do, *rows)
    assert response.redirect_chain == [(f"/?{done}={','.join(str(row.pk) for row in reversed(rows))}", 302)]
    assert list(Conversation.objects.listed()) == [other]
    body = response.content.decode()
    assert f"3 conversations were {done}." in body
    assert undo(alices, body).status_code == 200
    assert Conversation.objects.listed().count() == 4


@pytest.mark.parametrize("do", ["pin", "archive", "delete"])
def test_one_is_named_in_what_is_said_of_it(alice: User, alices: Client, do: str) -> None:
    conversation = make_conversation(alice, title="Sea & <sand>")
    body = act(alices, do, conversation).content.decode()
    assert re.search(r"“<bdi>Sea &amp; &lt;sand&gt;</bdi>” was \w+\.", body)
    undo(alices, body)
    conversation.refresh_from_db()
    assert (conversation.pinned_at, conversation.archived_at, conversation.deleted_at) == (None, None, None)
    assert "Undo" not in alices.get(f"/?archived={conversation.pk}&deleted={conversation.pk}&pinned={conversation.pk}").content.decode()


def test_a_pin_outlives_the_archive(alice: User, alices: Client) -> None:
    conversation = make_conversation(alice)
    for do in ("pin", "archive"):
        act(alices, do, conversation)
    assert not Conversation.objects.pinned().exists()
    act(alices, "unarchive", conversation)
    assert Conversation.objects.pinned().get() == conversation
    act(alices, "unpin", conversation)
    assert Conversation.objects.unpinned().get() == conversation


def test_where_to_is_asked_and_a_new_folder_can_be_named(alice: User, alices: Client) -> None:
    rows = [make_conversation(alice) for _ in range(2)]
    make_folder(alice, name="Sea")
    make_folder(alice, name="Gone", deleted_at=timezone.now())
    page = act(alices, "move", *rows).content.decode()
    assert re.findall(r"<bdi>(\w+)</bdi></button>", page) == ["Sea"]
    assert Conversation.objects.filter(folder=None).count() == 2
    act(alices, "move", *rows, new="Sand")
    assert {row.folder.name for row in Conversation.objects.all()} == {"Sand"}
    act(alices, "move", *rows, new="Sand")
    assert alice.folders.filter(name="Sand").count() == 1


def test_a_move_is_undone_to_where_each_was(alice: User, alices: Client) -> None:
    sea, sand = make_folder(alice, name="Sea"), make_folder(alice, name="Sand")
    rows = [make_conversation(alice, folder=folder) for folder in (sea, sand, None)]
    before = state()
    response = act(alices, "move", *rows, folder=sand.pk)
    assert {row["folder"] for row in state()} == {sand.pk}
    undo(alices, response.content.decode())
    assert state() == before
    act(alices, "move", rows[0], folder=0)
    assert Conversation.objects.get(pk=rows[0].pk).folder is None


@pytest.mark.parametrize("name", ["", " ", "\u200b", "x" * 101, "nul\0"])
def test_a_folder_without_a_name_is_refused_with_a_sentence(alice: User, alices: Client, name: str) -> None:
    conversation = make_conversation(alice)
    fields = {"do": "move", "conversation": conversation.pk, "new": name}
    page, partial = alices.post(URL, fields), alices.post(URL, fields, headers=HTMX)
    assert page.status_code == partial.status_code == 422
    assert re.search(r'role="alert">[^<]+\.<', page.content.decode())
    assert 'hx-target="#rename-error"' in partial.content.decode()
    assert not Folder.objects.exists()


def test_a_folder_of_somebody_else_takes_nothing(alice: User, alices: Client, bob: User) -> None:
    conversation, foreign = make_conversation(alice), make_folder(bob, name="Of bob")
    page = act(alices, "move", conversation, folder=foreign.pk).content.decode()
    assert "Of bob" not in page
    alices.post(URL, {"do": "put_back", "conversation": f"{conversation.pk}.{foreign.pk}"})
    assert Conversation.objects.get().folder is None


@pytest.mark.parametrize("do", ["pin", "unpin", "archive", "unarchive", "move", "put_back", "delete", "restore", "erase"])
@pytest.mark.parametrize("how", [{}, {"deleted_at": timezone.now()}])
def test_nothing_is_done_to_what_is_somebody_elses(alice: User, bob: User, bobs: Client, do: str, how: dict[str, Any]) -> None:
    foreign = make_conversation(alice, title="private title", **how)
    own = make_conversation(bob)
    before = list(Conversation.objects.filter(pk=foreign.pk).values())
    assert act(bobs, do, foreign, sure=1, folder=0).status_code == 404
    body = act(bobs, do, foreign, own, sure=1, folder=0).content.decode()
    assert "private title" not in body
    assert list(Conversation.objects.filter(pk=foreign.pk).values()) == before
    assert "private title" not in bobs.get(f"/?archived={foreign.pk}&deleted={foreign.pk}").content.decode()


@pytest.mark.parametrize("chosen", [[], ["x"], ["-1"], ["1.x"], ["1.1.1"], [str(10**30)], ["²"], list(range(1, MOST + 2))], ids=str)
def test_a_choice_that_is_none_is_refused_with_a_sentence(alices: Client, chosen: list[Any]) -> None:
    told = alices.post(URL, {"do": "delete", "conversation": chosen}, headers=HTMX)
    assert told.status_code == 422
    assert '<hx-partial hx-target="#selection-error"' in told.content.decode()
    for place in ("/trash", "/archive"):
        assert '<p id="selection-error"' in alices.get(place).content.decode()
        page = alices.post(URL, {"do": "delete", "conversation": chosen, "next": place}, follow=True)
        assert page.redirect_chain == [(place, 302)]
        for body in (told, page):
            assert "Choose" in body.content.decode()


def test_something_unheard_of_is_refused(alice: User, alices: Client) -> None:
    assert "cannot be done here" in act(alices, "explode", make_conversation(alice)).content.decode()
    assert act(alices, "pin", make_conversation(alice)).content.decode().count("cannot be done here") == 0


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example", ""])
def test_what_was_done_leads_to_no_other_site(alice: User, alices: Client, wanted: str) -> None:
    response = alices.post(URL, {"do": "archive", "conversation": make_conversation(alice).pk, "next": wanted})
    assert response["Location"].startswith("/?archived=")
    response = alices.post(URL, {"do": "archive", "conversation": make_conversation(alice).pk, "next": "/trash?x=1"})
    assert response["Location"].startswith("/trash?archived=")


def test_after_pinning_on_its_page_one_is_back_there_and_after_deleting_at_home(alice: User, alices: Client) -> None:
    conversation = make_conversation(alice)
    page = f"/conversations/{conversation.pk}"
    response = act(alices, "pin", conversation, next=page)
    assert response.redirect_chain == [(f"{page}?pinned={conversation.pk}", 302)]
    assert "was pinned." in response.content.decode()
    assert act(alices, "delete", conversation, next=page).redirect_chain == [(f"/?deleted={conversation.pk}", 302)]


def test_without_script_one_stays_in_the_open_conversation(alice: User, alices: Client) -> None:
    opened, other = make_conversation(alice), make_conversation(alice)
    page = alices.get(reverse("conversation", args=[opened.pk])).content.decode()
    for form in ("palette-form", "selection"):
        assert re.search(rf'<form id="{form}".*?name="open" value="{opened.pk}"', page, re.DOTALL)
    for do, chosen in (("pin", opened), ("archive", other), ("delete", other)):
        response = act(alices, do, chosen, open=opened.pk)
        assert response.redirect_chain[0][0].partition("?")[0] == reverse("conversation", args=[opened.pk])
    assert act(alices, "delete", opened, open=opened.pk).redirect_chain[0][0].startswith("/?deleted=")


def test_a_move_that_was_undone_is_not_offered_to_be_undone_again(alice: User, alices: Client) -> None:
    conversation, folder = make_conversation(alice), make_folder(alice)
    page = act(alices, "move", conversation, folder=folder.pk)
    address = page.redirect_chain[0][0]
    assert "was moved" in alices.get(address).content.decode()
    undo(alices, page.content.decode())
    assert "was moved" not in alices.get(address).content.decode()


def test_a_move_is_undone_in_as_many_steps_as_there_are_folders(alice: User, alices: Client) -> None:
    folder, rows = make_folder(alice), [make_conversation(alice) for _ in range(12)]
    chosen = [f"{row.pk}.{folder.pk}" if number % 2 else str(row.pk) for number, row in enumerate(rows)]
    with CaptureQueriesContext(connection) as captured:
        alices.post(URL, {"do": "put_back", "conversation": chosen, "undone": "1"}, headers=HTMX)
    assert sum(query["sql"].startswith("UPDATE") for query in captured) == 2
    assert set(folder.conversations.all()) == set(rows[1::2])


def test_deleting_stops_what_is_being_answered_and_ends_links_at_once(alice: User, alices: Client, model: LanguageModel) -> None:
    turns = [make_turn(owner=alice, model=model) for _ in range(2)]
    Share.objects.create(conversation=turns[0].conversation, head=turns[0].answer, title="x")
    act(alices, "delete", *(turn.conversation for turn in turns))
    assert set(Generation.objects.values_list("status", flat=True)) == {Status.STOPPED}
    assert not Share.objects.open().exists()


def test_with_htmx_the_page_stays_unless_it_shows_what_was_deleted(alice: User, alices: Client) -> None:
    rows = [make_conversation(alice) for _ in range(2)]
    fields = {"do": "delete", "conversation": rows[0].pk, "open": rows[1].pk}
    stays = alices.post(URL, fields, headers=HTMX)
    assert 'hx-target="#notice"' in stays.content.decode()
    assert "HX-Redirect" not in stays
    leaves = alices.post(URL, fields | {"conversation": rows[1].pk}, headers=HTMX)
    assert leaves["HX-Redirect"] == f"/?deleted={rows[1].pk}"


def test_a_program_is_told_no_more_than_that_it_was_done(alice: User, alices: Client) -> None:
    conversation = make_conversation(alice)
    response = alices.post(URL, {"do": "pin", "conversation": conversation.pk}, headers={"Accept": "application/json"})
    assert (response.status_code, response.content) == (204, b"")
    assert Conversation.objects.pinned().exists()


def test_a_program_is_refused_in_words_where_a_person_is_asked(alice: User, alices: Client) -> None:
    conversation = make_conversation(alice, deleted_at=timezone.now())
    for path, fields in ((URL, {"do": "erase"}), (URL, {"do": "move"}), (URL, {"do": "erase", "sure": False}), ("/trash/empty", {})):
        response = program(alices, path, fields | {"conversation": [conversation.pk]})
        assert response.status_code == 422
        assert response.json()["error"]["code"] == "invalid"
    assert Conversation.objects.get() == conversation


@pytest.mark.parametrize("fields", [{"do": "erase", "sure": True}, {"do": "erase", "sure": "1"}, {}])
def test_a_program_that_is_sure_deletes_for_good(alice: User, alices: Client, fields: dict[str, Any]) -> None:
    conversation = make_conversation(alice, deleted_at=timezone.now())
    body = fields | {"conversation": conversation.pk} if fields else {"sure": 1}
    assert program(alices, URL if fields else "/trash/empty", body).status_code == 204
    assert not Conversation.objects.exists()


def test_a_program_may_send_json(alice: User, alices: Client) -> None:
    one, two, folder = make_conversation(alice), make_conversation(alice), make_folder(alice)
    assert program(alices, URL, {"do": "move", "conversation": [one.pk, str(two.pk)], "folder": folder.pk}).status_code == 204
    assert set(folder.conversations.all()) == {one, two}
    assert program(alices, URL, {"do": "move", "conversation": one.pk, "folder": 0}).status_code == 204
    assert program(alices, f"/conversations/{one.pk}/rename", {"title": "Sea"}).status_code == 204
    assert (folder.conversations.get(), Conversation.objects.get(pk=one.pk).title) == (two, "Sea")
    for wrong in ({"do": ["pin"], "conversation": [one.pk]}, {"do": "pin", "conversation": [[one.pk], {}, None]}):
        assert program(alices, URL, wrong).status_code == 422


def program(browser: Client, path: str, fields: dict[str, Any]) -> Any:
    return browser.post(path, fields, content_type="application/json", headers={"Accept": "application/json"})


def test_one_that_is_temporary_is_in_no_menu(alice: User, alices: Client) -> None:
    conversation = make_conversation(alice, is_temporary=True)
    assert alices.get(reverse("conversation_options", args=[conversation.pk])).status_code == 404
    for do in ("pin", "archive", "move", "delete"):
        act(alices, do, conversation, folder=0)
    conversation.refresh_from_db()
    assert (conversation.pinned_at, conversation.archived_at, conversation.deleted_at) == (None, None, None)


def test_the_options_are_a_page_without_script_and_a_menu_with_it(alice: User, alices: Client) -> None:
    conversation = make_conversation(alice, title="<i>Sea</i>")
    url = reverse("conversation_options", args=[conversation.pk])
    page, menu = alices.get(url), alices.get(url, headers=HTMX)
    assert "<html" in page.content.decode()
    assert "<html" not in menu.content.decode()
    for response in (page, menu):
        assert "HX-Request" in response["Vary"]
        assert 'value="&lt;i&gt;Sea&lt;/i&gt;"' in response.content.decode()


def test_a_name_that_is_refused_is_refused_beside_its_field(alice: User, alices: Client) -> None:
    url = reverse("rename_conversation", args=[make_conversation(alice).pk])
    partial = alices.post(url, {"title": "x" * 10_000}, headers=HTMX)
    assert partial.status_code == 422
    assert 'hx-target="#rename-error"' in partial.content.decode()
    assert "at most 200 characters" in partial.content.decode()
    assert alices.post(url, {"title": "A name"}, headers=HTMX).status_code == 200
    assert Conversation.objects.get().title == "A name"


def test_other_pages_of_the_person_are_told(alice: User, alices: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, str]] = []
    monkeypatch.setattr(changes, "tell", lambda change: told.append((change.conversation, change.kind)))
    conversation = make_conversation(alice)
    for do in ("pin", "archive", "unarchive", "delete", "restore"):
        act(alices, do, conversation)
    assert told == [(conversation.pk, kind) for kind in ("moved", "moved", "moved", "deleted", "restored")]

"""Imports as their owner sees them: a file goes in, a page says how far it is, and nobody else learns of it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations.models import Conversation, Import, LanguageModel
from conversations.models.imports import SILENCE, ImportStatus
from conversations.transfer.files import path_of
from conversations.transfer.intake import take_in
from conversations.transfer.worker import starter, work
from conversations.transfer.worker import waiting as next_waiting
from tests.transfer.uploads import conversation, waiting

HTMX, JSON = {"HX-Request": "true"}, {"Accept": "application/json"}
GOOD = json.dumps([conversation(1), conversation(2)]).encode()


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """How often somebody was asked to work: the process that would do it knows only the database of a real site."""
    calls: list[bool] = []
    monkeypatch.setattr(starter, "ask", lambda then: calls.append(True))
    return calls


def upload(browser: Client, content: bytes = GOOD, name: str = "conversations.json", **headers: Any) -> Any:
    return browser.post(reverse("start_import"), {"file": SimpleUploadedFile(name, content)}, **headers)


def test_a_file_goes_in_and_its_page_tells_how_far_it_is(alices: Client, asked: list[bool]) -> None:
    response = upload(alices)
    row = Import.objects.get()
    assert response.headers["Location"] == reverse("import", args=[row.pk])
    assert (path_of(row.pk).read_bytes(), row.file_name, len(asked)) == (GOOD, "conversations.json", 1)
    before = alices.get(response.headers["Location"]).content.decode()
    assert "waits for its turn" in before
    assert '<noscript><meta http-equiv="refresh"' in before
    work()
    after = alices.get(response.headers["Location"]).content.decode()
    assert "Imported." in after
    assert "<strong>2</strong> new" in after
    assert "refresh" not in after
    assert "Number 2" in alices.get("/").content.decode()


def test_a_file_of_which_nothing_could_be_read_says_so(alices: Client, asked: list[bool]) -> None:
    place = upload(alices, b'[{"mapping": {}, "title": "empty"}]').headers["Location"]
    work()
    after = alices.get(place).content.decode()
    assert "Nothing could be imported." in after
    assert "Imported." not in after


def test_the_part_that_changes_fetches_itself_until_it_is_done(alice: User, alices: Client) -> None:
    row = waiting(alice, GOOD)
    path = reverse("import", args=[row.pk])
    part = alices.get(path, headers=HTMX).content.decode()
    assert f'hx-get="{path}" hx-trigger="every 1s"' in part
    assert "<html" not in part
    take_in(row)
    assert "hx-get" not in alices.get(path, headers=HTMX).content.decode()


def test_a_program_is_told_in_numbers(alice: User, alices: Client) -> None:
    response = upload(alices, headers=JSON)
    assert response.status_code == 201
    work()
    told = alices.get(response.json()["url"], headers=JSON).json()
    assert (told["status"], told["added"], told["known"], told["problems"]) == ("complete", 2, 0, [])


def test_problems_are_told_as_text_with_their_places(alice: User, alices: Client) -> None:
    row = waiting(alice, json.dumps([{"title": "<script>alert(1)</script>"}]).encode(), name="<b>x</b>.json")
    take_in(row)
    page = alices.get(reverse("import", args=[row.pk])).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "Conversation 1, line 1" in page
    assert "<b>x" not in page


def test_what_was_cut_is_told_on_the_page_and_to_programs_and_nothing_is_said_of_what_was_not(alice: User, alices: Client) -> None:
    long, short = waiting(alice, json.dumps([conversation(1) | {"name": "<i>" + "x" * 300}]).encode()), waiting(alice, GOOD)
    for row in (long, short):
        take_in(row)
    page = alices.get(reverse("import", args=[long.pk])).content.decode()
    assert "<strong>1</strong> shortened" in page
    assert "What was shortened" in page
    assert "&lt;i&gt;xxx" in page
    assert "What could not be read" not in page
    assert alices.get(reverse("import", args=[long.pk]), headers=JSON).json()["cuts"][0]["number"] == 1
    assert "shortened" not in alices.get(reverse("import", args=[short.pk])).content.decode()


@pytest.mark.parametrize("fields", [{}, {"file": ""}, {"file": "no file"}])
def test_without_a_file_the_form_says_so(alices: Client, fields: dict[str, str]) -> None:
    response = alices.post(reverse("start_import"), fields)
    assert response.status_code == 422
    assert "Choose a file first." in response.content.decode()
    assert not Import.objects.exists()


def test_an_empty_or_too_large_file_is_refused_in_words(alices: Client, settings: Any) -> None:
    assert "This file is empty." in upload(alices, b"").content.decode()
    settings.IMPORT_MAX_MB = 1
    response = upload(alices, b"x" * (2**20 + 1))
    assert response.status_code == 422
    assert "1 MB are possible" in response.content.decode()
    assert upload(alices, b"x" * (2**20 + 1), headers=JSON).json()["error"]["code"] == "invalid"
    assert not Import.objects.exists()


@pytest.mark.parametrize("name", ["../../../etc/passwd", "x" * 900 + ".json", "a\nb.json", "日本.zip", "con"])
def test_the_name_of_a_file_is_only_told(alices: Client, name: str) -> None:
    upload(alices, name=name)
    row = Import.objects.get()
    assert path_of(row.pk).name == str(row.pk)
    assert "/" not in row.file_name
    assert alices.get(reverse("data")).status_code == 200


def test_one_file_at_a_time(alices: Client, bobs: Client) -> None:
    upload(alices)
    response = upload(alices)
    assert response.status_code == 409
    assert "Another file of yours" in response.content.decode()
    assert upload(bobs).status_code == 302


def test_a_stopped_import_is_told_to_be_and_can_be_continued(alice: User, alices: Client, asked: list[bool]) -> None:
    row = waiting(alice, GOOD)
    page = alices.post(reverse("stop_import", args=[row.pk]), follow=True).content.decode()
    assert "You stopped it." in page
    assert reverse("continue_import", args=[row.pk]) in page
    alices.post(reverse("continue_import", args=[row.pk]))
    assert len(asked) == 1
    work()
    assert Conversation.objects.count() == 2


def test_a_lost_import_is_told_to_be_and_can_be_continued(alice: User, alices: Client, asked: list[bool]) -> None:
    row = waiting(alice, GOOD)
    assert row.claim("lost")
    Import.objects.update(heard_at=timezone.now() - SILENCE - timedelta(seconds=1))
    part = alices.get(reverse("import", args=[row.pk]), headers=HTMX).content.decode()
    assert "It was interrupted" in part
    assert "hx-get" not in part
    alices.post(reverse("continue_import", args=[row.pk]))
    work()
    assert Import.objects.get().status == ImportStatus.COMPLETE


def test_without_its_file_it_cannot_be_continued_and_says_what_to_do(alice: User, alices: Client, asked: list[bool]) -> None:
    row = waiting(alice, GOOD)
    row.stop()
    path_of(row.pk).unlink()
    page = alices.post(reverse("continue_import", args=[row.pk]), follow=True).content.decode()
    assert "Import it again" in page
    assert not asked


def test_a_new_file_lets_go_of_the_one_that_was_stopped(alice: User, alices: Client) -> None:
    row = waiting(alice, GOOD)
    row.stop()
    upload(alices)
    assert not path_of(row.pk).exists()


def test_a_lost_import_is_no_obstacle_to_the_next(alice: User, alices: Client) -> None:
    row = waiting(alice, GOOD)
    Import.objects.update(heard_at=timezone.now() - SILENCE - timedelta(seconds=1))
    assert upload(alices).status_code == 302
    assert not path_of(row.pk).exists()


def test_a_stranger_neither_sees_nor_stops_nor_continues_an_import(alice: User, bobs: Client) -> None:
    row = waiting(alice, GOOD, name="secret.json")
    for name, method in (("import", "get"), ("stop_import", "post"), ("continue_import", "post")):
        assert getattr(bobs, method)(reverse(name, args=[row.pk])).status_code == 404
    assert "secret.json" not in bobs.get(reverse("data")).content.decode()
    assert Import.objects.get().status == ImportStatus.WAITING


def test_files_that_nobody_comes_back_to_are_removed(alice: User) -> None:
    done, idle, fresh, gone = (waiting(alice, GOOD) for _ in range(4))
    orphan = path_of(gone.pk)
    Import.objects.filter(pk=done.pk).update(status=ImportStatus.COMPLETE)
    Import.objects.exclude(pk=done.pk).update(status=ImportStatus.STOPPED)
    Import.objects.filter(pk=idle.pk).update(heard_at=timezone.now() - timedelta(days=8))
    Import.objects.filter(pk=gone.pk).delete()
    coming = path_of(fresh.pk).with_suffix(".coming")
    coming.touch()
    work()
    assert [path_of(row.pk).exists() for row in (done, idle, fresh)] == [False, False, True]
    assert not orphan.exists()
    assert coming.exists()


def test_one_goes_on_in_what_was_imported(alice: User, alices: Client, model: LanguageModel) -> None:
    take_in(waiting(alice, GOOD))
    conversation = Conversation.objects.get(title="Number 1")
    answer = conversation.head
    assert answer
    assert alices.get(reverse("answer_source", args=[answer.pk])).content.decode() == "Hello 0"
    sent = alices.post(reverse("start_turn", args=[conversation.pk]), {"prompt": "And now?", "model": model.pk}, headers=JSON)
    assert sent.status_code == 201
    page = alices.get(sent.json()["url"]).content.decode()
    assert page.index("Hello 0") < page.index("And now?")


def test_a_file_that_broke_off_lets_the_others_go_first(alice: User, bob: User) -> None:
    broken = waiting(alice, GOOD)
    assert broken.claim("lost")
    new = waiting(bob, GOOD)
    assert next_waiting() == new
    take_in(new)
    assert next_waiting() == broken

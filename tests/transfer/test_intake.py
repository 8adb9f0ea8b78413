"""Imports, taken in: what is kept, what is told of the rest, and that nothing is ever doubled or half there."""

import json
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as live_settings
from django.contrib.auth.models import User
from django.db import DataError, InterfaceError, OperationalError
from django.utils import timezone

from conversations.models import Conversation, Import, Message, Role, copies, trash
from conversations.models.conversations import TITLE_MAX_CHARACTERS
from conversations.models.imports import MOST_TOLD, ImportStatus
from conversations.transfer import as_json, intake, keeping
from conversations.transfer.drafts import Draft, DraftMessage
from conversations.transfer.files import path_of
from conversations.transfer.intake import take_in
from conversations.transfer.sources import draft_of
from tests.factories import make_conversation, make_user

from .uploads import conversation, sample, taken_in, waiting, zipped


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "LONGEST_REST", 0)


@pytest.mark.postgresql
def test_chatgpts_export_is_kept_as_a_tree_with_its_moments_and_models(alice: User) -> None:
    row = taken_in(alice, sample("chatgpt.json"))
    assert (row.status, row.added, row.known, row.refused, row.error) == (ImportStatus.COMPLETE, 2, 0, 0, "")
    found = Conversation.objects.get(title="Petals of a buttercup")
    assert (found.created_at.year, found.updated_at.isoformat()) == (2024, "2024-04-05T19:36:51.250000+00:00")
    path = list(Message.objects.path_to(found.head_id))
    assert [message.text[:12] for message in path] == ["How many pet", "A buttercup ", "[Image, not ", "That is a da"]
    assert [message.model_name for message in path] == ["", "gpt-4o", "", "gpt-4o"]
    assert found.messages.filter(text="Five.", parent=path[0], model_name="gpt-4").exists()
    assert Conversation.objects.get(title="Greeting").archived_at


@pytest.mark.postgresql
def test_a_message_always_has_a_larger_number_than_the_one_it_answers(alice: User) -> None:
    taken_in(alice, sample("chatgpt.json"))
    taken_in(alice, sample("claude.json"))
    messages = Message.objects.exclude(parent=None).select_related("parent")
    assert len(messages) == 11
    assert all(message.parent and message.pk > message.parent.pk for message in messages)


def test_importing_again_doubles_nothing_and_brings_what_was_missing(alice: User) -> None:
    first = [conversation(1), conversation(2)]
    assert taken_in(alice, first).added == 2
    again = taken_in(alice, [*first, conversation(3)])
    assert (again.added, again.known) == (1, 2)
    assert Conversation.objects.count() == 3


def test_the_same_twice_in_one_file_is_kept_once(alice: User) -> None:
    row = taken_in(alice, [conversation(1), conversation(1)])
    assert (row.added, row.known, Conversation.objects.count()) == (1, 1, 1)


def test_what_is_in_the_trash_is_not_brought_back_beside_itself(alice: User) -> None:
    taken_in(alice, [conversation(1)])
    Conversation.objects.get().soft_delete()
    assert taken_in(alice, [conversation(1)]).known == 1


def test_two_people_may_import_the_same_file(alice: User, bob: User) -> None:
    assert taken_in(alice, [conversation(1)]).added == taken_in(bob, [conversation(1)]).added == 1
    assert set(Conversation.objects.values_list("owner", flat=True)) == {alice.pk, bob.pk}


def test_what_we_exported_is_known_here_and_whole_elsewhere(alice: User, bob: User) -> None:
    taken_in(alice, sample("chatgpt.json"))
    own = make_conversation(alice, title="Made here", system_prompt="Be kind.")
    prompt = Message.objects.create(conversation=own, role=Role.USER, text="Hello")
    own.head = Message.objects.create(conversation=own, parent=prompt, role=Role.ASSISTANT, text="Hi", reasoning="A greeting.")
    own.save()
    files = ["".join(as_json.pieces(found)) for found in Conversation.objects.order_by("pk")]
    assert taken_in(alice, "\n".join(files).encode()).known == 3
    assert taken_in(bob, "\n".join(files).encode()).added == 3
    for name in ("Made here", "Petals of a buttercup"):
        theirs, ours = (Conversation.objects.get(owner=owner, title=name) for owner in (bob, alice))
        assert (theirs.system_prompt, theirs.created_at, theirs.updated_at) == (ours.system_prompt, ours.created_at, ours.updated_at)
        assert tree_of(theirs) == tree_of(ours)


def test_what_has_a_name_of_another_source_is_not_doubled_by_an_export(alice: User) -> None:
    taken_in(alice, [conversation(1) | {"uuid": None}])
    frame = json.loads("".join(as_json.pieces(Conversation.objects.get())))
    for name in ("file:sha256:00ff", "share:00ff"):
        frame["conversation"]["id"] = name
        assert taken_in(alice, json.dumps(frame).encode()).added == 1
        exported = "".join(as_json.pieces(Conversation.objects.get(source_key=name)))
        assert taken_in(alice, exported.encode()).known == 1


def tree_of(found: Conversation) -> list[tuple[Any, ...]]:
    """The messages of a conversation, each with the place of its parent and whether it is the head."""
    messages = list(found.messages.order_by("pk"))
    places = {message.pk: place for place, message in enumerate(messages)}
    return [
        (
            places.get(message.parent_id or 0),
            message.role,
            message.text,
            message.reasoning,
            message.model_name,
            message.created_at,
            message.pk == found.head_id,
        )
        for message in messages
    ]


def test_good_ones_stay_and_bad_ones_are_named_by_line_and_title(alice: User) -> None:
    circle = conversation(2, turns=1) | {"name": "A circle"}
    circle["chat_messages"][0]["parent_message_uuid"] = circle["chat_messages"][1]["uuid"]
    circle["chat_messages"][1]["parent_message_uuid"] = circle["chat_messages"][0]["uuid"]
    source = "[" + ",\n".join([json.dumps(conversation(1)), json.dumps(circle), '{"name": }', json.dumps(conversation(3))]) + "]"
    row = taken_in(alice, source.encode())
    assert (row.status, row.added, row.refused) == (ImportStatus.COMPLETE, 2, 2)
    first, second = row.problems
    assert (first["number"], first["line"], first["title"]) == (2, 2, "A circle")
    assert "circle" in first["reason"]
    assert (second["number"], second["line"]) == (3, 3)
    assert "line 3" in second["reason"]
    assert set(Conversation.objects.values_list("title", flat=True)) == {"Number 1", "Number 3"}


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_fails_ends_the_import_and_leaves_nothing_half_there(
    alice: User, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(*_: Any) -> str:
        raise error("the disk is full")

    monkeypatch.setattr(keeping, "end_of", fail)
    row = taken_in(alice, [conversation(1)])
    assert row.status == ImportStatus.FAILED
    assert row.error.endswith(".")
    assert not Conversation.objects.exists()
    assert path_of(row.pk).exists(), "it can be continued"


@pytest.mark.parametrize("error", [DataError, ValueError])
def test_one_that_cannot_be_kept_is_named_and_costs_none_of_the_others(
    alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: type[Exception]
) -> None:
    real = keeping.end_of

    def fail(draft: Draft, order: list[DraftMessage]) -> str:
        if draft.title == "Number 2":
            raise error("nobody has thought of this")
        return real(draft, order)

    monkeypatch.setattr(keeping, "end_of", fail)
    row = taken_in(alice, [conversation(number) for number in (1, 2, 3)])
    assert (row.status, row.added, row.refused, row.error) == (ImportStatus.COMPLETE, 2, 1, "")
    assert (row.problems[0]["title"], row.problems[0]["reason"]) == ("Number 2", intake.NOT_KEPT)
    assert "nobody has thought of this" in caplog.text


def test_a_file_of_nonsense_is_not_read_to_its_end(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    row = taken_in(alice, b"[" + b"{}," * (intake.MOST_REFUSED * 3) + b"{}]")
    assert (row.status, row.refused, len(row.problems)) == (ImportStatus.FAILED, intake.MOST_REFUSED, MOST_TOLD)
    assert "not read on" in row.error
    monkeypatch.setattr(intake, "MOST_ITEMS", 3)
    row = taken_in(alice, [conversation(1)] * 5)
    assert (row.status, row.added, row.known) == (ImportStatus.FAILED, 1, 2)
    assert "number 3" in row.error


def test_names_and_titles_that_are_no_text_are_told_as_text(alice: User, tmp_path: Path) -> None:
    name = "a" * 300 + "__json"
    problem = taken_in(alice, zipped(tmp_path / "a.zip", **{name: b'[{"title": "\\ud800\\u0000"}]'})).problems[0]
    assert (problem["title"], problem["file"]) == ("\ufffd\ufffd", "a" * 200)


def test_only_so_many_problems_are_told_and_the_rest_counted(alice: User) -> None:
    row = taken_in(alice, [{"name": f"bad {number}"} for number in range(MOST_TOLD + 5)])
    assert (len(row.problems), row.refused) == (MOST_TOLD, MOST_TOLD + 5)


def test_a_title_that_is_cut_is_told_with_its_place_and_once_more_when_the_file_comes_again(alice: User) -> None:
    source = [conversation(1), conversation(2) | {"name": "long " * 2_000}]
    for added in (2, 0):
        row = taken_in(alice, source)
        assert (row.status, row.added, row.refused, row.shortened) == (ImportStatus.COMPLETE, added, 0, 1)
        (cut,) = row.cuts
        assert (cut["number"], len(cut["title"])) == (2, TITLE_MAX_CHARACTERS)
        assert f"at most {TITLE_MAX_CHARACTERS} characters" in cut["reason"]
        assert alice.conversations.filter(title=cut["title"]).count() == 1


def test_a_title_that_fits_in_one_line_is_not_said_to_be_cut(alice: User) -> None:
    row = taken_in(alice, [conversation(1) | {"name": "\n".join("x" * 9 for _ in range(TITLE_MAX_CHARACTERS // 10)) + "\u200b" * 99}])
    assert (row.added, row.shortened, row.cuts) == (1, 0, [])


def test_the_name_of_a_folder_that_is_cut_is_told(alice: User, bob: User) -> None:
    frame = json.loads("".join(as_json.pieces(make_conversation(bob))))
    frame["conversation"] |= {"id": "", "folder": "x" * 150, "messages": [{"id": 1, "role": "user", "text": "Hello"}]}
    (cut,) = taken_in(alice, json.dumps(frame).encode()).cuts
    assert "folder" in cut["reason"]


def test_html_and_scripts_are_kept_as_the_text_they_are(alice: User) -> None:
    taken_in(alice, [conversation(1, text="<script>alert(1)</script>") | {"name": "<img src=x onerror=alert(2)>"}])
    assert Conversation.objects.get().title == "<img src=x onerror=alert(2)>"
    assert Message.objects.first().text == "<script>alert(1)</script> 0"  # type: ignore[union-attr]


def test_a_conversation_of_the_future_does_not_lead_the_list_for_ever(alice: User) -> None:
    taken_in(alice, [conversation(1) | {"created_at": "2999-01-01T00:00:00Z", "updated_at": "2999-01-01T00:00:00Z"}])
    assert Conversation.objects.get().updated_at <= timezone.now()


def test_what_was_imported_is_not_named_anew_by_a_model(alice: User) -> None:
    taken_in(alice, [conversation(1)])
    assert Conversation.objects.get().has_own_title


@pytest.mark.postgresql
def test_a_long_conversation_is_kept_in_few_statements(alice: User, django_assert_max_num_queries: Any) -> None:
    row = waiting(alice, json.dumps([conversation(1, turns=1500)]).encode())
    with django_assert_max_num_queries(40):
        take_in(row)
    head = Conversation.objects.get().head_id
    assert Message.objects.path_to(head).count() == 3000


def watched(owner: User, found: dict[str, Any]) -> list[int]:
    """Keep a conversation; return how many messages were there at each rest, when nobody may be shown any."""
    seen = []

    def look() -> None:
        assert not Conversation.objects.active().exists()
        assert not Conversation.objects.trashed().exists()
        seen.append(Message.objects.count())

    assert keeping.keep_new(owner, draft_of(found), look)
    return seen


@pytest.mark.postgresql
def test_a_long_conversation_lets_others_write_in_between_and_is_seen_when_it_is_whole(alice: User) -> None:
    assert watched(alice, conversation(1, turns=600)) == [copies.BATCH, 2 * copies.BATCH]
    found = Conversation.objects.kept().get()
    assert (found.source_key, found.messages.count()) == ("claude:conversation-1", 1200)
    assert Message.objects.path_to(found.head_id).count() == 1200
    assert Conversation.objects.get() == found


def test_one_of_long_texts_lets_others_write_in_between_too(alice: User) -> None:
    text = "x" * (copies.BATCH_CHARACTERS // 3)
    assert watched(alice, conversation(1, text=text, turns=5)) == [3 * (number + 1) for number in range(3)]


@pytest.mark.parametrize("end", [RuntimeError, KeyboardInterrupt], ids=["fails", "dies"])
def test_a_long_conversation_that_was_broken_off_is_not_seen_and_not_doubled(alice: User, end: type[BaseException]) -> None:
    def break_off() -> None:
        raise end

    draft = draft_of(conversation(1, turns=600))
    with pytest.raises(end):
        keeping.keep_new(alice, draft, break_off)
    assert Conversation.objects.count() == (end is KeyboardInterrupt), "whoever dies clears nothing away"
    assert not Conversation.objects.trashed().exists()
    assert keeping.keep_new(alice, draft)
    assert Conversation.objects.kept().get().messages.count() == 1200
    Conversation.objects.filter(deleted_at__isnull=False).update(deleted_at=timezone.now() - timedelta(days=live_settings.TRASH_DAYS + 1))
    trash.purge()
    assert Message.objects.count() == 1200


def test_a_stop_is_heard_in_the_middle_of_a_long_conversation(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "TELL_SECONDS", -1)
    row = waiting(alice, json.dumps([conversation(1, turns=600)]).encode())
    real = keeping.put

    def stop_first(*given: Any) -> dict[str, int]:
        Import.objects.get(pk=row.pk).stop()
        return real(*given)

    monkeypatch.setattr(keeping, "put", stop_first)
    take_in(row)
    row.refresh_from_db()
    assert (row.status, row.added, Conversation.objects.count()) == (ImportStatus.STOPPED, 0, 0)


def test_a_file_that_is_done_with_is_removed_and_one_that_was_stopped_is_not(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not path_of(taken_in(alice, [conversation(1)]).pk).exists()
    row = waiting(alice, json.dumps([conversation(2), conversation(3)]).encode())
    monkeypatch.setattr(intake, "TELL_SECONDS", -1)
    real = keeping.keep

    def stop_after(owner: User, draft: Any, rest: Any) -> None:
        Import.objects.get(pk=row.pk).stop()
        real(owner, draft, rest)

    monkeypatch.setattr(keeping, "keep", stop_after)
    take_in(row)
    row.refresh_from_db()
    assert (row.status, Conversation.objects.count()) == (ImportStatus.STOPPED, 2)
    monkeypatch.setattr(keeping, "keep", real)
    assert row.wait()
    take_in(row)
    row.refresh_from_db()
    assert (row.status, row.added, row.known) == (ImportStatus.COMPLETE, 1, 1)
    assert not path_of(row.pk).exists()


def test_whoever_was_taken_for_lost_writes_nothing_more(alice: User) -> None:
    row = waiting(alice, json.dumps([conversation(1)]).encode())
    lost = Import.objects.get(pk=row.pk)
    assert lost.claim("lost")
    row.refresh_from_db()
    assert row.claim("new")
    assert not lost.tell(added=99)
    assert row.tell(added=1)


def test_a_file_that_is_gone_is_said_to_be(alice: User) -> None:
    row = waiting(alice, b"[]")
    path_of(row.pk).unlink()
    take_in(row)
    row.refresh_from_db()
    assert (row.status, row.error) == (ImportStatus.FAILED, intake.GONE)


@pytest.mark.parametrize("source", [b"", b"MZ\x90", b"\xff\xfe[\x00", b"PK", b"PK\x03\x04garbage", b"[{}", b"{}]"])
def test_a_file_that_is_none_fails_with_a_sentence(alice: User, source: bytes) -> None:
    row = taken_in(alice, source)
    assert row.status in (ImportStatus.FAILED, ImportStatus.COMPLETE)
    told = row.error or row.problems[0]["reason"]
    assert told.endswith(".")
    assert not Conversation.objects.exists()


def test_the_zips_of_chatgpt_claude_and_this_site_are_read(alice: User, tmp_path: Path) -> None:
    chatgpt = zipped(
        tmp_path / "1.zip",
        conversations__json=sample("chatgpt.json"),
        user__json=b'{"id": "user-1"}',
        shared_conversations__json=b'[{"id": "x"}]',
        chat__html=b"<html>",
    )
    claude = zipped(tmp_path / "2.zip", **{"data/conversations__json": sample("claude.json"), "data/users__json": b"[{}]"})
    ours = "".join(as_json.pieces(make_conversation(make_user("dave"), title="From elsewhere"))).replace('"messages": [', '"messages": [%s')
    message = json.dumps({"id": 1, "parent": None, "role": "user", "text": "Hello"})
    own = zipped(tmp_path / "3.zip", **{"000001 From elsewhere__json": (ours % message).encode()})
    for source, added in ((chatgpt, 2), (claude, 2), (own, 1)):
        row = taken_in(alice, source)
        assert (row.status, row.added, row.refused) == (ImportStatus.COMPLETE, added, 0), row.error


def test_a_split_export_is_read_in_its_order(alice: User, tmp_path: Path) -> None:
    parts = {f"conversations-00{number}__json": json.dumps([conversation(number)]).encode() for number in range(3)}
    assert taken_in(alice, zipped(tmp_path / "split.zip", **parts)).added == 3


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"conversations__json": b"[" + b" " * 30_000_000 + b"]"}, "too large when it is unpacked"),
        ({"chat__html": b"<html>"}, "no conversations.json"),
        ({}, "no conversations.json"),
    ],
)
def test_a_bomb_and_a_zip_of_something_else_are_refused(alice: User, tmp_path: Path, entries: dict[str, bytes], words: str) -> None:
    row = taken_in(alice, zipped(tmp_path / "a.zip", **entries))
    assert row.status == ImportStatus.FAILED
    assert words in row.error
    assert not path_of(row.pk).exists()


def test_many_entries_that_are_large_together_are_refused(alice: User, tmp_path: Path, settings: Any) -> None:
    settings.IMPORT_MAX_MB = 1
    content = json.dumps([conversation(1, text="abc" * 300_000)]).encode()
    row = taken_in(alice, zipped(tmp_path / "a.zip", **{f"conversations-{number}__json": content for number in range(15)}))
    assert "too large" in row.error


def test_a_zip_that_lies_about_its_sizes_gives_no_more_than_it_said(alice: User, tmp_path: Path) -> None:
    source = bytearray(zipped(tmp_path / "a.zip", conversations__json=json.dumps([conversation(1, text="x" * 5000)]).encode()))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        size = archive.infolist()[0].file_size.to_bytes(4, "little")
    for _ in range(2):
        source = bytearray(bytes(source).replace(size, (100).to_bytes(4, "little"), 1))
    row = taken_in(alice, bytes(source))
    assert row.status == ImportStatus.FAILED
    assert "damaged" in row.error


def test_a_directory_that_would_fill_the_memory_is_refused_unread(alice: User, tmp_path: Path) -> None:
    source = bytearray(zipped(tmp_path / "a.zip", conversations__json=b"[]"))
    end = source.rindex(b"PK\5\6")
    source[end + 12 : end + 16] = (2**31).to_bytes(4, "little")
    assert "too many files" in taken_in(alice, bytes(source)).error


def test_a_directory_cannot_hide_its_size_behind_a_comment(alice: User, tmp_path: Path) -> None:
    """What counts is what zipfile will read, not the last bytes that look like it."""
    large = struct.pack("<4sQHHIIQQQQ4sIQI", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, 2**31, 0, b"PK\6\7", 0, 0, 1)
    forged = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, 100, 0)
    source = zipped(tmp_path / "a.zip", conversations__json=b"[]")
    end = source.rindex(b"PK\5\6")
    for comment in (b"", forged, b"PK\6\6" + bytes(60)):
        last = source[end:-2] + len(comment).to_bytes(2, "little") + comment
        assert "too many files" in taken_in(alice, source[:end] + large + last).error
        told = bytearray(source)
        told[end + 12 : end + 16] = (2**31).to_bytes(4, "little")
        assert "too many files" in taken_in(alice, bytes(told[:-2]) + len(comment).to_bytes(2, "little") + comment).error


def test_what_looks_like_a_record_in_a_comment_is_only_a_comment(alice: User, tmp_path: Path) -> None:
    source = zipped(tmp_path / "a.zip", conversations__json=json.dumps([conversation(1)]).encode())
    comment = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, 2**40, 0)
    assert taken_in(alice, source[:-2] + len(comment).to_bytes(2, "little") + comment).added == 1


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_unpacks_without_bounds_is_refused_unread(alice: User, tmp_path: Path, compression: int) -> None:
    row = taken_in(alice, zipped(tmp_path / "a.zip", compression, conversations__json=json.dumps([conversation(1)]).encode()))
    assert row.status == ImportStatus.FAILED
    assert "ordinary zip" in row.error


def test_a_damaged_or_encrypted_zip_is_refused(alice: User, tmp_path: Path) -> None:
    source = bytearray(zipped(tmp_path / "a.zip", zipfile.ZIP_STORED, conversations__json=json.dumps([conversation(1)]).encode()))
    damaged = bytes(source).replace(b"Hello", b"Jello", 1)
    assert "damaged" in taken_in(alice, damaged).error
    central = source.rindex(b"PK\1\2")
    source[central + 8] |= 1
    assert "encrypted" in taken_in(alice, bytes(source)).error


class Large:
    """An export of so many bytes, told piece by piece."""

    def __init__(self, size: int) -> None:
        self.count = size // len(self.told(0))

    @staticmethod
    def told(number: int) -> bytes:
        return json.dumps(conversation(number, text="Words and words. " * 20, turns=50)).encode()

    def pieces(self) -> Iterator[bytes]:
        yield b"["
        for number in range(self.count):
            yield (b",\n" if number else b"") + self.told(number)
        yield b"]"


def test_a_file_of_50_mb_costs_no_more_memory_than_its_largest_conversation(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    large = Large(50 * 2**20)
    row = waiting(alice, b"")
    with path_of(row.pk).open("wb") as file:
        file.writelines(large.pieces())
    assert file.closed
    assert path_of(row.pk).stat().st_size > 49 * 2**20
    monkeypatch.setattr(intake, "keep_new", lambda owner, draft, rest: bool(draft.messages))  # what a database keeps is not ours to weigh
    tracemalloc.start()
    try:
        take_in(row)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    row.refresh_from_db()
    assert (row.status, row.added, row.refused) == (ImportStatus.COMPLETE, large.count, 0)
    assert row.position == row.size
    assert peak < 4 * 2**20


def test_uploads_lie_where_only_the_site_reads_them(alice: User) -> None:
    folder = path_of(1).parent
    assert folder == live_settings.DATA_DIR / "imports"
    assert folder.stat().st_mode & 0o077 == 0

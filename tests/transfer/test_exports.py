"""Exports: what is in a file, that it can hold anything, and that it costs no more than one conversation at a time."""

import html
import io
import json
import tracemalloc
import zipfile
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conversations.models import Conversation, Generation, LanguageModel, Message, Role, Status, Turn, Usage, rewrite
from conversations.transfer import archive
from conversations.transfer.formats import FORMATS
from conversations.transfer.names import file_name
from conversations.transfer.reading import BATCH, path_to
from conversations.views.exports import in_steps
from tests.factories import make_conversation, make_path, make_turn

pytestmark = pytest.mark.django_db(transaction=True)  # an export reads in a thread of its own

HOSTILE = "</style><script>alert(1)</script><img src=https://evil.example/x.png onerror=alert(2)>"


@pytest.fixture
def turn(alice: User, model: LanguageModel) -> Turn:
    turn = make_turn(owner=alice, model=model, prompt="How high is it?")
    finish(turn.answer, "It is **4,810** m high.", "Mont Blanc, then.")
    usage = Usage(generation=turn.generation, input_tokens=12, output_tokens=7)
    usage.take_prices(model)
    usage.save()
    turn.conversation.refresh_from_db()
    return turn


def finish(answer: Message, text: str, reasoning: str = "") -> None:
    Generation.objects.filter(message=answer).update(status=Status.COMPLETE)
    Message.objects.filter(pk=answer.pk).update(text=text, reasoning=reasoning)


def body_of(response: Any) -> bytes:
    async def read() -> bytes:
        return b"".join([piece async for piece in response.streaming_content])

    assert response.status_code == 200
    return async_to_sync(read)()


def exported(browser: Client, conversation: Conversation, form: str) -> str:
    return body_of(browser.get(reverse("export_conversation", args=[conversation.pk]), {"as": form})).decode()


def test_json_holds_every_branch_with_models_moments_and_usage(alices: Client, turn: Turn, model: LanguageModel) -> None:
    other = Message.objects.create(
        conversation=turn.conversation, parent=turn.prompt, role=Role.ASSISTANT, text="Very.", model_name="gpt-4o"
    )
    found = json.loads(exported(alices, turn.conversation, "json"))
    assert (found["format"], found["version"]) == ("chatsite.conversation", 1)
    prompt, answer, branch = found["conversation"]["messages"]
    assert (prompt["id"], prompt["parent"], prompt["role"], prompt["text"]) == (turn.prompt.pk, None, "user", "How high is it?")
    assert (answer["parent"], answer["model"], answer["reasoning"], answer["status"]) == (
        turn.prompt.pk,
        model.name,
        "Mont Blanc, then.",
        "complete",
    )
    assert answer["usage"][0] | {"input_tokens": 12, "output_tokens": 7, "currency": "USD"} == answer["usage"][0]
    assert (branch["id"], branch["model"], branch["text"]) == (other.pk, "gpt-4o", "Very.")
    assert found["conversation"]["head"] == turn.answer.pk
    assert answer["created_at"].startswith("20")


def test_markdown_and_the_page_hold_the_shown_path(alices: Client, turn: Turn, model: LanguageModel) -> None:
    Message.objects.create(conversation=turn.conversation, parent=turn.prompt, role=Role.ASSISTANT, text="A branch that was left")
    markdown, page = exported(alices, turn.conversation, "markdown"), exported(alices, turn.conversation, "html")
    assert f"## {model.name}\n" in markdown
    assert "It is **4,810** m high." in markdown
    assert "<strong>4,810</strong>" in page
    for text in (markdown, page):
        assert "Mont Blanc, then." in text
        assert "A branch that was left" not in text


def test_an_answer_that_a_person_wrote_anew_says_so(alices: Client, turn: Turn, model: LanguageModel) -> None:
    rewrite(turn.answer, "It is 4,806 m high.", uuid4())
    turn.conversation.refresh_from_db()
    assert f"## {model.name} (edited)\n" in exported(alices, turn.conversation, "markdown")
    assert f"{model.name} (edited)</footer>" in exported(alices, turn.conversation, "html")


def test_an_answer_that_is_being_written_is_in_no_file(alices: Client, turn: Turn) -> None:
    make_turn(turn.conversation, prompt="A second prompt")
    turn.conversation.refresh_from_db()
    assert len(json.loads(exported(alices, turn.conversation, "json"))["conversation"]["messages"]) == 3


def test_the_page_stands_alone(alice: User, alices: Client, model: LanguageModel) -> None:
    turn = make_turn(owner=alice, model=model, prompt=HOSTILE)
    finish(turn.answer, f"{HOSTILE}\n\n![i](https://evil.example/pixel.png)\n\n```python\nprint(1)\n```", HOSTILE)
    turn.conversation.rename(HOSTILE[:180] + " <!-- messages -->")
    page = exported(alices, turn.conversation, "html")
    for absent in ("<script", "<link", "<img", "<iframe", " src=", "url(", "@import", 'href="/'):
        assert absent not in page.replace(html.escape(HOSTILE), ""), absent
    assert page.count("</style>") == 1
    assert "default-src &#x27;none&#x27;; style-src &#x27;sha256-" in page
    assert "print" in page


def test_a_path_is_walked_once_however_long_it_is(alice: User) -> None:
    conversation = make_conversation(alice)
    path = make_path(conversation, 2 * BATCH + 1)
    with CaptureQueriesContext(connection) as captured:
        assert [message.pk for message in path_to(path[-1].pk)] == [message.pk for message in path]
    assert sum("RECURSIVE" in query["sql"] for query in captured) == 1


def test_a_file_is_saved_and_never_shown_or_kept_on_the_way(alices: Client, turn: Turn) -> None:
    turn.conversation.rename('../../etc/passwd"; x="\N{RIGHT-TO-LEFT OVERRIDE}fdp.exe')
    for form in FORMATS:
        response = alices.get(reverse("export_conversation", args=[turn.conversation.pk]), {"as": form})
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert "/" not in response.headers["Content-Disposition"]
        assert response.headers["Cache-Control"] == "private, no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("A walk by the sea", "A walk by the sea.md"),
        ("../../etc/passwd", "etc passwd.md"),
        ("", "conversation.md"),
        ("\u202e\0\n", "conversation.md"),
        ("CON", "_CON.md"),
        ("Ga\u0308rten in Z\u00fcrich", "G\u00e4rten in Z\u00fcrich.md"),
        ("日本語の題", "日本語の題.md"),
        ("-rf *", "rf.md"),
        ("a/b\\c:d", "a b c d.md"),
    ],
)
def test_names_of_files_are_safe(title: str, name: str) -> None:
    assert file_name(title, "md") == name


def test_a_long_title_makes_a_short_name() -> None:
    assert len(file_name("漢" * 10_000, "json").encode()) < 255


@pytest.mark.parametrize("form", ["", "exe", "../json", "JSON"])
def test_a_format_that_is_none_is_not_found(alices: Client, turn: Turn, form: str) -> None:
    assert alices.get(reverse("export_conversation", args=[turn.conversation.pk]), {"as": form}).status_code == 404


def test_everything_is_a_zip_of_what_is_mine_and_neither_deleted_nor_temporary(alice: User, alices: Client, bob: User, turn: Turn) -> None:
    make_conversation(alice, title="Archived and twice"), make_conversation(alice, title="Archived and twice")
    make_conversation(alice, title="Deleted").soft_delete()
    make_conversation(alice, title="Temporary", is_temporary=True)
    make_conversation(bob, title="Of a stranger")
    with zipfile.ZipFile(io.BytesIO(body_of(alices.get(reverse("export_everything"), {"as": "markdown"})))) as archived:
        assert archived.testzip() is None
        names = [name.partition(" ")[2] for name in archived.namelist()]
        assert names == [file_name(turn.conversation.title, "md"), "Archived and twice.md", "Archived and twice.md"]
        assert b"4,810" in archived.read(archived.namelist()[0])


def test_nobody_without_conversations_gets_a_broken_zip(alices: Client) -> None:
    with zipfile.ZipFile(io.BytesIO(body_of(alices.get(reverse("export_everything"))))) as archived:
        assert archived.namelist() == []


def test_exporting_much_costs_no_more_memory_than_exporting_little(alice: User) -> None:
    text = "All work and no play makes Jack a dull boy. " * 500  # 22 KB
    conversations = [Conversation(owner=alice, title=f"Number {number}") for number in range(600)]
    Conversation.objects.bulk_create(conversations)
    Message.objects.bulk_create(Message(conversation=one, role=Role.USER, text=f"{one.pk}{text}") for one in conversations)
    for _ in archive.pieces(alice, FORMATS["json"]):  # what is loaded once
        break
    tracemalloc.start()
    try:
        size = sum(len(piece) for piece in archive.pieces(alice, FORMATS["json"]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > 40_000
    assert peak < 8 * 1024 * 1024, "the conversations are 13 MB"


async def test_a_reader_who_goes_leaves_the_rest_unread() -> None:
    read = 0

    def endless() -> Any:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 65536

    async for _ in in_steps(endless()):
        break
    assert read == 1

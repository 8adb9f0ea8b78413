"""What was rendered once is kept: it is right for as long as the renderer writes the same, and may be lost at any time."""

import ast
import hashlib
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client

from conversations.models import Conversation, Generation, Message, Rendering, Status
from conversations.providers import echo_texts
from conversations.rendering.cache import VERSION
from conversations.rendering.document import render_document
from tests.factories import make_conversation, make_path, make_turn

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
ROOT = Path(__file__).resolve().parent.parent.parent

# Of VERSION and what it writes. Where the output changes, for example with a package, count VERSION up and say here what was found.
WRITTEN = (2, "7be41e2e548af851")
SAMPLES = [
    echo_texts.MARKDOWN,
    "```python\n" + "x = 1\n" * 50 + "```\n",
    "```diff\n-a\n+b\n```\n",
    "See[^1].\n\n- [ ] to do\n\n[^1]: Later.\n",
]


def test_the_version_counts_up_when_the_output_changes() -> None:
    digest = hashlib.sha256("".join(map(render_document, SAMPLES)).encode()).hexdigest()
    assert (VERSION, digest[:16]) == WRITTEN


@pytest.fixture
def conversation(alice: User) -> Conversation:
    conversation = make_conversation(alice)
    make_path(conversation, 4)
    return conversation


def page(browser: Client, conversation: Conversation) -> str:
    response = browser.get(f"/conversations/{conversation.pk}")
    assert response.status_code == 200
    return response.content.decode()


def test_what_a_page_rendered_is_what_the_next_one_shows(conversation: Conversation, alices: Client) -> None:
    first = page(alices, conversation)
    answers = Message.objects.filter(generation__isnull=False)
    assert set(Rendering.objects.values_list("message", "version")) == {(answer.pk, VERSION) for answer in answers}
    Rendering.objects.update(text_html="<p>kept</p>", reasoning_html="<p>thought</p>")
    second = page(alices, conversation)
    assert second.count("<p>kept</p>") == second.count("<p>thought</p>") == 2
    Rendering.objects.all().delete()
    assert "<p>assistant text 1</p>" in first
    assert "<p>assistant text 1</p>" in page(alices, conversation)


def test_what_another_version_wrote_is_made_again(conversation: Conversation, alices: Client) -> None:
    page(alices, conversation)
    Rendering.objects.update(version=VERSION + 1, text_html="<p>of tomorrow</p>")
    assert "of tomorrow" not in page(alices, conversation)
    assert not Rendering.objects.exclude(version=VERSION).exists()


def test_a_running_answer_is_not_kept(alice: User, alices: Client) -> None:
    turn = make_turn(owner=alice)
    page(alices, turn.conversation)
    assert not Rendering.objects.exists()
    Generation.objects.update(status=Status.COMPLETE)
    Message.objects.filter(pk=turn.answer.pk).update(text="It is *done*.")
    assert "<em>done</em>" in page(alices, turn.conversation)
    assert Rendering.objects.get().message_id == turn.answer.pk


def test_a_database_that_takes_nothing_shows_the_page_all_the_same(conversation: Conversation, alices: Client) -> None:
    with transaction.atomic(), connection.cursor() as cursor:  # PostgreSQL lets it write again at the end of this one
        cursor.execute("PRAGMA query_only = 1" if connection.vendor == "sqlite" else "SET TRANSACTION READ ONLY")
        try:
            assert "<p>assistant text 1</p>" in page(alices, conversation)
        finally:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA query_only = 0")
    assert not Rendering.objects.exists()


def test_a_text_is_written_by_nobody_but_the_end_of_its_answer() -> None:
    """What is kept would be wrong if a text could change: an edit, a retry and a continued answer are other messages."""
    for path in (ROOT / "conversations").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            is_update = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update"
            if is_update and any(keyword.arg in ("text", "reasoning") for keyword in node.keywords):
                assert str(path.relative_to(ROOT)) == "conversations/models/generations.py", path

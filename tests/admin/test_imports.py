"""Staff see how far a file was read and what was wrong with it, and not a word of what was in it."""

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from conversations.models import Import
from tests.transfer.uploads import conversation, taken_in

LIST = reverse("admin:conversations_import_changelist")


def page_of(browser: Client, row: Import) -> str:
    return browser.get(reverse("admin:conversations_import_change", args=[row.pk])).content.decode()


def test_the_page_says_where_something_was_wrong_and_no_title(root: Client, alice: User) -> None:
    row = taken_in(alice, [conversation(1) | {"name": "secret " * 100}, {"title": "a secret"}])
    page = page_of(root, row)
    assert "Conversation 1 of" in page
    assert "at most 200 characters" in page
    assert "Conversation 2 of" in page
    assert "secret" not in page
    assert "alice" in root.get(LIST).content.decode()


def test_the_list_reads_no_problems_however_many_there_are(root: Client, alice: User) -> None:
    taken_in(alice, [{"title": "x"}] * 50)
    (row,) = root.get(LIST).context["cl"].result_list
    assert {"problems", "cuts"} <= row.get_deferred_fields()

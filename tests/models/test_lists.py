"""Each list of a person with 10,000 conversations is read through an index of its own: nothing reads, or sorts, them all."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from conversations.models import Conversation, Folder, Generation, Message, trash
from conversations.models.cursors import Cursor
from tests.factories import make_folder, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
MANY = 10_000


@pytest.fixture
def folder() -> Folder:
    return make_folder(make_user("alice"))


def fields_of(n: int, moment: datetime, folder: Folder) -> dict[str, Any]:
    """One in twenty of each kind; most of the others are in the folder."""
    kind = ("pinned_at", "archived_at", "deleted_at", "is_temporary")[n % 4] if n % 20 < 4 else ""
    told: dict[str, Any] = {"folder": folder if n % 3 else None, "updated_at": moment}
    return told | ({kind: kind == "is_temporary" or moment} if kind else {})


@pytest.fixture
def alice_of_many(folder: Folder) -> User:
    """With hundreds of each kind among them, on a site where others have as much in their trash."""
    alice, now = folder.owner, timezone.now()
    others = [make_user() for _ in range(10)]
    rows = [Conversation(owner=alice, title="x", **fields_of(n, now - timedelta(minutes=n), folder)) for n in range(MANY)]
    Conversation.objects.bulk_create(rows)
    Conversation.objects.bulk_create(
        Conversation(owner=others[n % 10], title="x", deleted_at=now - timedelta(minutes=n)) for n in range(MANY // 2)
    )
    answers = Message.objects.bulk_create(Message(conversation=row, role="assistant") for row in rows)
    Generation.objects.bulk_create(Generation(message=answer, status="complete") for answer in answers)
    heads = Message.objects.filter(conversation=OuterRef("pk")).values("pk")[:1]
    Conversation.objects.update(head=Subquery(heads))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return alice


def reads_it_all(plan: str) -> bool:
    return "Seq Scan" in plan or bool(re.search(r"SCAN \w+(?! USING INDEX)\b(?! USING)", plan))


def sorts(plan: str) -> bool:
    """An incremental sort is one of rows that share a moment."""
    return "TEMP B-TREE FOR ORDER BY" in plan or bool(re.search(r"(?<!Incremental )Sort  ", plan))


def test_no_list_of_a_person_with_many_conversations_reads_them_all(alice_of_many: User, folder: Folder) -> None:
    own: Any = alice_of_many.conversations
    middle = own.listed()[4000]
    behind = Cursor(middle.updated_at, middle.pk).before("updated_at")
    lists = {
        "conversations_listed": [own.with_running().unpinned()[:51], own.with_running().unpinned().filter(behind)[:51]],
        "conversations_pinned": [own.with_running().pinned()[:100]],
        "conversations_in_folder": [Conversation.objects.unpinned().filter(folder=folder)[:51]],
        "conversations_archived": [own.archived().order_by("-updated_at", "-pk")[:51]],
        "conversations_trashed": [own.trashed().order_by("-deleted_at", "-pk")[:51]],
    }
    for index, queries in lists.items():
        for query in queries:
            plan = query.explain()
            assert index in plan, plan
            assert not reads_it_all(plan), plan
            assert not sorts(plan), plan


def test_what_is_to_go_is_found_without_reading_what_stays(alice_of_many: User) -> None:
    Conversation.objects.exclude(deleted_at=None).update(deleted_at=F("deleted_at") - timedelta(days=90))
    for kind in trash.EXPIRED.keys() - {"deleted folders", "links that ended", "imports that are over"}:  # of which there are few
        plan = trash.EXPIRED[kind]().explain()
        assert not reads_it_all(plan), plan

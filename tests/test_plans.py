"""No page that people open all day reads a table from one end to the other, on either database: what the plan of each query says."""

import json
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations.models import Conversation, Feedback, Generation, LanguageModel, Message, Rendering, Role, Status

from .conftest import browser_of
from .factories import make_turn

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

# They grow with what people write. Other tables hold what staff enters.
GROWING = r"conversations_(conversation|message|generation|usage|rendering|feedback|journalentry|searchable\w*|words|trigrams|titles)"
SCAN = re.compile(r"SCAN (?P<table>\w+)(?!.*VIRTUAL TABLE INDEX \d+:\S*[M=<>])")
OUTLINE = re.compile(r"\b(?:FROM|JOIN)\s+\"?(?P<table>\w+)\"?(?:\s+(?:AS\s+)?\"?(?P<alias>\w+)\"?)?", re.I)


@pytest.fixture
def large(model: LanguageModel) -> User:
    """A person with much, among others with as much."""
    for name in ("other", "large"):
        call_command("make_large", name, conversations=300, messages=3_000, longest=600, stdout=StringIO())
    owner = User.objects.get(username="large")
    trashed = owner.conversations.order_by("pk").values("pk")[:50]
    Conversation.objects.filter(pk__in=list(trashed.values_list("pk", flat=True))).update(deleted_at=timezone.now())
    answers = Message.objects.filter(role=Role.ASSISTANT)
    Feedback.objects.bulk_create(Feedback(message=answer, rating=Feedback.Rating.UP) for answer in answers)
    Rendering.objects.bulk_create(Rendering(message=answer, version=0) for answer in answers)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return owner


def pages_of(owner: User) -> dict[str, str]:
    """By name; the searches come last, because PostgreSQL keeps to what they set until the end of the test's transaction."""
    longest = owner.conversations.latest("updated_at")
    keys = list(longest.messages.order_by("pk").values_list("pk", flat=True))
    address = f"/conversations/{longest.pk}"
    return {
        "a new chat": "/",
        "a long conversation": address,
        "earlier messages": f"{address}?before={keys[-60]}",
        "a message of long ago": f"{address}?message={keys[10]}",
        "its news": f"{address}/news?after={keys[-1]}",
        "the source of an answer": f"/messages/{longest.head_id}/source",
        "the events of an answer": f"/messages/{longest.head_id}/events",
        "the sidebar": "/sidebar",
        "the trash": "/trash",
        "the archive": "/archive",
    } | {
        f"a search for {typed}": f"/search?q={typed}"
        for typed in ("the", "kalo", "ka", '"of the"', "the -of", "手机", "机器学习", "雨", "absent")
    }


def changes_of(owner: User) -> dict[str, str]:
    """What changes the tree of a long conversation, in an order in which each finds what it needs."""
    longest = owner.conversations.latest("updated_at")
    prompts = list(longest.messages.filter(role=Role.USER).order_by("pk").values_list("pk", flat=True))
    return {
        "another branch chosen": f"/messages/{prompts[1]}/choose",
        "a turn deleted": f"/turns/{prompts[-20]}/delete",
        "a turn restored": f"/turns/{prompts[-20]}/restore",
        "a fork": f"/messages/{prompts[20]}/fork",
    }


def asked(browser: Client, address: str, method: str = "get") -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        response = getattr(browser, method)(address, headers={"HX-Request": "true"} if method == "post" else {})
        assert response.status_code in (200, 302), address
    return [query["sql"] for query in captured if query["sql"].lstrip().startswith(("SELECT", "WITH", "UPDATE"))]


def whole_reads(sql: str) -> list[str]:
    """The growing tables that a query reads from one end to the other."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
            (plan,) = cursor.fetchone()
            plan = json.loads(plan) if isinstance(plan, str) else plan
            read = [node["Relation Name"] for node in nodes(plan[0]["Plan"]) if node["Node Type"] == "Seq Scan"]
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            names = {match["alias"] or match["table"]: match["table"] for match in OUTLINE.finditer(sql)}
            scans = [SCAN.match(detail) for *_, detail in cursor.fetchall()]
            read = [names.get(scan["table"], scan["table"]) for scan in scans if scan]
    return [table for table in read if re.fullmatch(GROWING, table)]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def test_no_page_reads_a_growing_table_whole(large: User) -> None:
    browser, found = browser_of(large), {}
    for name, address in pages_of(large).items():
        queries = asked(browser, address)
        reads = {sql: tables for sql in queries if (tables := whole_reads(sql))}
        if reads:
            found[name] = reads
    assert not found, json.dumps(found, indent=1)


def test_no_change_of_a_branch_reads_a_growing_table_whole(large: User) -> None:
    browser, found = browser_of(large), {}
    for name, address in changes_of(large).items():
        if reads := {sql[:2000]: tables for sql in asked(browser, address, "post") if (tables := whole_reads(sql))}:
            found[name] = reads
    assert not found, json.dumps(found, indent=1)


def test_what_limits_a_person_reads_no_growing_table_whole(large: User, settings: Any) -> None:
    settings.REQUESTS_PER_MINUTE = settings.ANSWERS_AT_ONCE = 100
    conversation = large.conversations.active().latest("updated_at")
    for _ in range(2):  # the first makes the row that is counted in
        with CaptureQueriesContext(connection) as captured:
            make_turn(conversation)
        Generation.objects.live().update(status=Status.COMPLETE)
    (counted,) = [query["sql"] for query in captured if "conversations_pace" in query["sql"]]
    assert whole_reads(counted) == []


def test_a_table_read_whole_is_seen(large: User) -> None:
    """The other test would pass if this one could not fail."""
    assert whole_reads("SELECT * FROM conversations_message WHERE text LIKE '%sky%'") == ["conversations_message"]
    assert whole_reads("SELECT m.id FROM conversations_message AS m WHERE m.text LIKE '%sky%'") == ["conversations_message"]
    assert whole_reads(f"SELECT id FROM conversations_message WHERE id = {large.pk}") == []

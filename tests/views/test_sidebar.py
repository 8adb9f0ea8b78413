"""The sidebar: a page at a time, grouped by day, each page as it has become; folders, pins, and what is not in it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape

from conversations.models import Conversation
from conversations.models.cursors import Cursor
from conversations.views import sidebar
from conversations.views.periods import Calendar
from tests.factories import make_conversation, make_folder

NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)


def make_many(owner: User, amount: int, **fields: Any) -> list[Conversation]:
    """Newest first. Neighbours share a moment, as after an import: a cursor needs the key, too."""
    now = timezone.now()
    rows = [Conversation(owner=owner, title=f"Number {n}", updated_at=now - timedelta(minutes=n // 3), **fields) for n in range(amount)]
    Conversation.objects.bulk_create(rows)
    return list(Conversation.objects.filter(owner=owner, **fields))


def fetch(browser: Client, address: str = "/sidebar") -> str:
    response = browser.get(address, headers={"HX-Request": "true"})
    assert response.status_code == 200
    return response.content.decode()


def keys(body: str) -> list[int]:
    return [int(key) for key in re.findall(r'<li id="conversation-(\d+)"', body)]


def headings(body: str) -> list[str]:
    return re.findall(r'class="period">([^<]*)<', body)


def address_of(body: str, attribute: str) -> str:
    found = re.search(rf'{attribute}="(/sidebar[^"]*)"', body)
    return found[1].replace("&amp;", "&") if found else ""


def pages(browser: Client) -> Iterator[str]:
    """Each page as it is loaded by scrolling."""
    address = "/sidebar"
    while address:
        body = fetch(browser, address)
        yield body
        address = address_of(body, "hx-get")


def test_scrolling_shows_each_conversation_once_in_order(alice: User, alices: Client, bob: User) -> None:
    rows = make_many(alice, 2 * sidebar.LENGTH + 7)
    make_many(bob, 3)
    found = [keys(page) for page in pages(alices)]
    assert [len(page) for page in found] == [50, 50, 7]
    assert [key for page in found for key in page] == [row.pk for row in rows]


def test_a_page_that_is_exactly_full_leads_no_further(alice: User, alices: Client) -> None:
    make_many(alice, sidebar.LENGTH)
    assert len(list(pages(alices))) == 1


def test_a_loaded_page_is_fetched_again_with_what_is_new_and_without_what_is_gone(alice: User, alices: Client) -> None:
    rows = make_many(alice, 2 * sidebar.LENGTH)
    first, second = pages(alices)
    newcomer = make_conversation(alice)
    Conversation.objects.filter(pk=rows[60].pk).update(updated_at=timezone.now())  # a turn in one of the second page
    rows[10].soft_delete()
    rows[70].soft_delete()
    again = [keys(fetch(alices, address_of(page, "data-live"))) for page in (first, second)]
    assert again[0] == [rows[60].pk, newcomer.pk, *(row.pk for row in rows[:50] if row != rows[10])]
    assert again[1] == [row.pk for row in rows[50:] if row not in (rows[60], rows[70])]


def test_a_page_into_which_too_much_has_come_says_that_the_list_begins_anew(alice: User, alices: Client) -> None:
    make_many(alice, 3)
    again = address_of(fetch(alices), "data-live")
    make_many(alice, sidebar.MOST)
    assert alices.get(again).status_code == 205
    assert len(keys(fetch(alices))) == sidebar.LENGTH


def test_without_script_a_link_leads_to_the_older_ones_and_one_back(alice: User, alices: Client) -> None:
    rows = make_many(alice, sidebar.LENGTH + 2)
    body = alices.get("/").content.decode()
    older = re.search(r'class="older"><a href="(\?older=[^"]+)"', body)
    assert older
    body = alices.get(f"/{older[1]}").content.decode()
    assert keys(body) == [row.pk for row in rows[-2:]]
    assert '<a href="?">Newest conversations</a>' in body


@pytest.mark.parametrize(
    "junk", ["older=x", "older=1", "older=-", "older=1-", f"older=1-{10**30}", f"older={10**40}-1", "until=x", "until=1-x", "older=١-١"]
)
def test_a_cursor_that_is_none_is_passed_over(alice: User, alices: Client, junk: str) -> None:
    rows = make_many(alice, 2)
    assert keys(fetch(alices, f"/sidebar?{junk}")) == [row.pk for row in rows]


@pytest.mark.parametrize("moment", [NOON, NOON.replace(microsecond=1), NOON.replace(microsecond=999_999), datetime(1970, 1, 1, tzinfo=UTC)])
def test_a_cursor_comes_back_as_it_went(moment: datetime) -> None:
    assert Cursor.parse(str(Cursor(moment, 7))) == (moment, 7)


@pytest.mark.parametrize(
    ("ago", "heading"),
    [
        (timedelta(hours=-1), "Today"),  # a clock that is ahead
        (timedelta(hours=11), "Today"),
        (timedelta(hours=13), "Yesterday"),
        (timedelta(days=2), "Previous 7 days"),
        (timedelta(days=7), "Previous 7 days"),
        (timedelta(days=8), "Previous 30 days"),
        (timedelta(days=30), "Previous 30 days"),
        (timedelta(days=31), "February 2026"),
        (timedelta(days=365), "March 2025"),
    ],
)
def test_days_are_called_as_a_person_calls_them(rf: Any, ago: timedelta, heading: str) -> None:
    calendar = Calendar(rf.get("/"))
    calendar.today = NOON.date()
    assert calendar.period(NOON - ago) == heading


@pytest.mark.parametrize(
    ("zone", "heading"),
    [
        ("Pacific/Kiritimati", "Yesterday"),
        ("Asia/Kolkata", "Today"),
        ("Pacific/Pago_Pago", "Yesterday"),
        ("America%2FNew_York", "Yesterday"),
        ("", "Today"),
    ],
)
def test_a_day_begins_where_the_person_is(rf: Any, zone: str, heading: str) -> None:
    rf.cookies["timezone"] = zone
    calendar = Calendar(rf.get("/"))
    calendar.today = calendar.day(NOON)
    assert calendar.period(NOON.replace(hour=0)) == heading


@pytest.mark.parametrize("zone", ["x", "../../etc/passwd", "/etc/passwd", "\0", "a" * 5000, "Europe/Vienna; x", "é"])
def test_a_time_zone_that_is_none_is_passed_over(alice: User, alices: Client, zone: str) -> None:
    make_many(alice, 1)
    alices.cookies["timezone"] = zone
    assert headings(fetch(alices)) == ["Today"]


def test_a_heading_is_said_once_though_its_days_are_on_two_pages(alice: User, alices: Client) -> None:
    make_many(alice, sidebar.LENGTH + 1)
    assert [headings(page) for page in pages(alices)] == [["Today"], []]


def test_pinned_ones_come_first_in_a_group_of_their_own_and_only_there(alice: User, alices: Client) -> None:
    rows = make_many(alice, sidebar.LENGTH + 5)
    for row in (rows[-1], rows[3]):
        Conversation.objects.filter(pk=row.pk).pin()  # type: ignore[attr-defined]
    first, second = pages(alices)
    assert headings(first) == ["Pinned", "Today"]
    assert keys(first)[:2] == [rows[3].pk, rows[-1].pk]
    assert not {rows[3].pk, rows[-1].pk} & set(keys(second))


@pytest.mark.parametrize(
    "fields", [{"is_temporary": True}, {"deleted_at": NOON}, {"archived_at": NOON}, {"archived_at": NOON, "pinned_at": NOON}]
)
def test_what_is_temporary_deleted_or_archived_is_not_in_it(alice: User, alices: Client, fields: dict[str, Any]) -> None:
    make_conversation(alice, **fields)
    assert keys(fetch(alices)) == []
    assert "Your conversations will be here." in alices.get("/").content.decode()


def test_a_folder_shows_what_is_in_it_on_every_page_and_keeps_to_itself(alice: User, alices: Client, bob: User) -> None:
    folder, foreign = make_folder(alice, name="Sea"), make_folder(bob)
    rows = make_many(alice, sidebar.LENGTH + 2, folder=folder)
    make_many(alice, 3)
    address = f"/sidebar?folder={folder.pk}"
    first = fetch(alices, address)
    second = fetch(alices, address_of(first, "hx-get"))
    assert keys(first) + keys(second) == [row.pk for row in rows]
    assert keys(fetch(alices, address_of(second, "data-live"))) == keys(second)
    assert f'href="/conversations/{rows[0].pk}?folder={folder.pk}"' in first
    page = alices.get(f"/conversations/{rows[0].pk}?folder={folder.pk}").content.decode()
    assert parse_qs(urlsplit(address_of(page, "data-live")).query) == {"open": [str(rows[0].pk)], "folder": [str(folder.pk)]}
    assert len(keys(fetch(alices, f"/sidebar?folder={foreign.pk}"))) == sidebar.LENGTH


@pytest.mark.parametrize(
    "title", ["<b>bold</b>", "\u202eevil", "שלום עולם", "👩‍👩‍👧 " * 20, '"quotes" & <script>alert(1)</script>', "x" * 200]
)
def test_a_title_is_shown_as_text_that_reorders_nothing_around_it(alice: User, alices: Client, title: str) -> None:
    conversation = make_conversation(alice, title=title)
    body = fetch(alices)
    assert f'<a dir="auto" href="/conversations/{conversation.pk}">{escape(title)}</a>' in body
    assert body.count(title) == (3 if title == escape(title) else 0)  # beside the link, the names of two controls


@pytest.mark.parametrize("amount", [1, 120])
def test_a_page_of_it_asks_the_same_however_many_there_are(alice: User, alices: Client, amount: int) -> None:
    make_many(alice, amount)
    again = address_of(fetch(alices), "data-live")
    with CaptureQueriesContext(connection) as captured:
        fetch(alices, again)
    assert len(captured) == 4

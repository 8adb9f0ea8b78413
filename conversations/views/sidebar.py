"""The conversations of the sidebar, a page at a time: what is pinned, then the newest, grouped by day.

A page in the browser knows the rows it begins and ends with, so it can be fetched again as it stands, with what is new in it, however
many others have been loaded behind it.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from conversations.models import Conversation, Folder
from conversations.models.conversations import ConversationQuerySet
from conversations.models.cursors import Cursor

from .periods import Calendar
from .requests import SignedInRequest, number_in, signed_in

LENGTH = 50
MOST = 200  # rows of one page that has been fetched again and again; with more it is time to begin anew
END = "end"


@dataclass(frozen=True, slots=True)
class Group:
    heading: str
    items: list[Conversation]


@dataclass(frozen=True, slots=True)
class Page:
    """What `_conversations.html` expects. Addresses are "" where there is nothing."""

    groups: list[Group]
    again: str  # fetches this page as it has become
    older: str  # fetches the next one
    older_page: str  # shows the next one without script


@dataclass(frozen=True, slots=True)
class Sidebar:
    """What `_sidebar.html` expects."""

    open: int  # the conversation that the page is about; 0 for none
    folder: Folder | None
    page: Page
    is_newest: bool
    live: str  # fetches all of it, from the newest on
    query: str  # goes behind the address of a conversation, so that the folder stays
    since: int  # milliseconds: what changes from now on, the socket of the page tells


class Wanted:
    """What of the sidebar a request asks for."""

    def __init__(self, request: SignedInRequest, open_conversation: int | None = None) -> None:
        self.request = request
        self.open = number_in(request, "open") if open_conversation is None else open_conversation
        self.before = Cursor.parse(request.GET.get("older", ""))
        self.until = request.GET.get("until", "")
        folder = number_in(request, "folder")
        self.folder = request.user.folders.active().filter(pk=folder).first() if folder else None

    @property
    def rows(self) -> ConversationQuerySet:
        rows: ConversationQuerySet = self.request.user.conversations.with_running().only("title", "updated_at", "pinned_at")
        return rows.filter(folder=self.folder) if self.folder else rows

    @property
    def query(self) -> str:
        return f"?folder={self.folder.pk}" if self.folder else ""

    def address(self, **more: object) -> str:
        asked = {"open": self.open or "", "folder": self.folder.pk if self.folder else "", **more}
        return f"{reverse('sidebar')}?{urlencode({name: value for name, value in asked.items() if value})}"


def sidebar_of(request: SignedInRequest, open_conversation: int = 0) -> Sidebar:
    """The sidebar of a whole page; `?older=` and `?folder=` in its address say what of it."""
    since = int(time.time() * 1000)  # before anything is read
    wanted = Wanted(request, open_conversation)
    return Sidebar(wanted.open, wanted.folder, page_of(wanted), wanted.before is None, wanted.address(), wanted.query, since)


@require_GET
@signed_in
def show(request: SignedInRequest) -> HttpResponse:
    """The newest page, the one behind `?older=`, or, with `?until=`, one that is there already as it has become.

    205 says that too much has come into it: the list has to be fetched from its beginning.
    """
    wanted = Wanted(request)
    page = page_of(wanted)
    if wanted.until and page.older:
        return HttpResponse(status=205)
    template = "_conversations.html" if not wanted.until else "_groups.html"
    return render(request, template, {"page": page, "open": wanted.open, "query": wanted.query})


def page_of(wanted: Wanted) -> Page:
    most = MOST if wanted.until else LENGTH
    listed = wanted.rows.unpinned()
    if wanted.before:
        listed = listed.filter(wanted.before.before("updated_at"))
    if last := Cursor.parse(wanted.until):
        listed = listed.filter(last.until("updated_at"))
    found = list(listed[: most + 1])
    items, has_more = found[:most], len(found) > most
    end = str(Cursor(items[-1].updated_at, items[-1].pk)) if has_more else END
    before = str(wanted.before or "")
    return Page(
        groups=[*pinned(wanted), *grouped(items, wanted)],
        again=wanted.address(older=before, until=wanted.until or end),
        older=wanted.address(older=end) if has_more else "",
        older_page=f"{wanted.query or '?'}{'&' if wanted.query else ''}older={end}" if has_more else "",
    )


def pinned(wanted: Wanted) -> Iterator[Group]:
    """Only the first page has them."""
    if wanted.before is None and (items := list(wanted.rows.pinned())):
        yield Group("Pinned", items)


def grouped(items: Iterable[Conversation], wanted: Wanted) -> Iterator[Group]:
    """By day. A heading under which the page before ended is not said again."""
    calendar = Calendar(wanted.request)
    above = calendar.period(wanted.before.moment) if wanted.before else ""
    for heading, group in groupby(items, key=lambda item: calendar.period(item.updated_at)):
        yield Group("" if heading == above else heading, list(group))

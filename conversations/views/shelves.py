"""What is out of the sidebar: the archive and the trash, each a list by date."""

from typing import Any

from django.http import HttpResponse
from django.utils.dateformat import format as formatted
from django.views.decorators.http import require_GET, require_http_methods

from conversations.models.conversations import ConversationQuerySet
from conversations.models.cursors import Cursor
from conversations.models.trash import erasable, erase, gone_at

from .acts import notice_in_address
from .pages import page
from .periods import Calendar
from .programs import with_token
from .requests import SignedInRequest, signed_in
from .selection import ask_if_sure, erased, is_sure

LENGTH = 50


@require_GET
@signed_in
def archive(request: SignedInRequest) -> HttpResponse:
    calendar = Calendar(request)
    rows, older = page_of(request, request.user.conversations.archived(), "updated_at")
    for row in rows:
        row.told = formatted(calendar.day(row.updated_at), "j F Y")
    return shelf(
        request,
        heading="Archive",
        lead="Out of the sidebar, and still found and open to go on.",
        empty="Nothing is archived. To put a conversation away without deleting it, open its options in the sidebar and choose “Archive”.",
        acts=(("unarchive", "Take out"), ("delete", "Delete")),
        rows=rows,
        older=older,
    )


@require_GET
@signed_in
def trash(request: SignedInRequest) -> HttpResponse:
    calendar = Calendar(request)
    rows, older = page_of(request, request.user.conversations.trashed(), "deleted_at")
    for row in rows:
        row.told = f"Gone for good on {formatted(calendar.day(gone_at(row.deleted_at)), 'j F Y')}"
    return shelf(
        request,
        heading="Trash",
        lead="Deleted conversations. Nobody can open or find them.",
        empty="The trash is empty.",
        acts=(("restore", "Restore"), ("erase", "Delete for good")),
        rows=rows,
        older=older,
        is_trash=True,
    )


@with_token(get=None)
@require_http_methods(["GET", "POST"])
@signed_in
def empty(request: SignedInRequest) -> HttpResponse:
    """Ask, or remove all of it for good."""
    if request.method != "POST" or not is_sure(request):
        return ask_if_sure(request, is_all=True, conversations=())
    erase(erasable(request.user.conversations.trashed()))
    return erased(request)


def page_of(request: SignedInRequest, rows: ConversationQuerySet, field: str) -> tuple[list[Any], str]:
    """The rows behind `?after=`, the newest first, and the query of the next page, or ""."""
    if after := Cursor.parse(request.GET.get("after", "")):
        rows = rows.filter(after.before(field))
    found = list(rows.order_by(f"-{field}", "-pk").only("title", field)[: LENGTH + 1])
    last = found[LENGTH - 1] if len(found) > LENGTH else None
    return found[:LENGTH], f"?after={Cursor(getattr(last, field), last.pk)}" if last else ""


def shelf(request: SignedInRequest, **context: Any) -> HttpResponse:
    return page(request, "shelf.html", notice=notice_in_address(request), **context)

"""Shares: links to conversations as they stood, made and revoked by their owner, read by whoever holds one."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from conversations.forms.transfer import ShareForm
from conversations.generation.changes import Kind, tell_of
from conversations.models import Conversation, Message, NothingToShare, Role, Share, share
from conversations.rendering import cache
from conversations.rendering.answers import Answer
from conversations.transfer.formats import FORMATS
from conversations.transfer.shared import continued

from .chat import find_kept
from .notices import Notice
from .pages import page
from .requests import SignedInRequest, number_in, signed_in

SHARES_PER_PAGE = 50
MESSAGES_PER_PAGE = 100
# Who holds the link may read; nobody keeps a copy, lists it, or learns the link from where a reader went next.
HEADERS = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex, nofollow, noarchive", "Referrer-Policy": "same-origin"}


@require_http_methods(["GET", "POST"])
@signed_in
def of_conversation(request: SignedInRequest, pk: int) -> HttpResponse:
    """The links of a conversation, and the form for another one."""
    conversation = find_kept(request, pk)
    if request.method != "POST":
        return share_page(request, conversation, ShareForm())
    form = ShareForm(request.POST)
    if form.is_valid():
        try:
            share(conversation, form.cleaned_data["lifetime"])
            return redirect("share_conversation", pk)
        except NothingToShare as refusal:
            form.add_error(None, str(refusal))
    return share_page(request, conversation, form, status=422)


def share_page(request: SignedInRequest, conversation: Conversation, form: ShareForm, status: int = 200) -> HttpResponse:
    shares = Share.objects.of(request.user).open().filter(conversation=conversation)[:SHARES_PER_PAGE]
    context: dict[str, Any] = {"conversation": conversation, "form": form, "shares": shares, "formats": FORMATS}
    return page(request, "share.html", status, open=conversation.pk, notice=revocation_notice(request), **context)


@require_GET
@signed_in
def index(request: SignedInRequest) -> HttpResponse:
    """The person's links, newest first; `?before=` is the last one of the page before."""
    shares = Share.objects.of(request.user).open().select_related("conversation")
    if before := number_in(request, "before"):
        shares = shares.filter(pk__lt=before)
    found = list(shares[: SHARES_PER_PAGE + 1])
    more = found[SHARES_PER_PAGE - 1].pk if len(found) > SHARES_PER_PAGE else 0
    return page(request, "shares.html", shares=found[:SHARES_PER_PAGE], more=more, notice=revocation_notice(request))


@require_POST
@signed_in
def revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Share.objects.of(request.user).open(), pk=pk)
    found.revoke()
    return redirect(f"{back(request, found)}?revoked={pk}")


@require_POST
@signed_in
def reopen(request: SignedInRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Share.objects.of(request.user).revoked(), pk=pk)
    found.reopen()
    return redirect(back(request, found))


def back(request: SignedInRequest, found: Share) -> str:
    """The page that a button was pressed on."""
    is_of_conversation = request.POST.get("on") == "conversation"
    return reverse("share_conversation", args=[found.conversation_id]) if is_of_conversation else reverse("shares")


def revocation_notice(request: SignedInRequest) -> Notice | None:
    revoked = Share.objects.of(request.user).revoked().filter(pk=number_in(request, "revoked")).first()
    return Notice.of_share(revoked) if revoked else None


@require_GET
def read(request: HttpRequest, token: str) -> HttpResponse:
    """What is shared, for whoever has the link. A link that ended looks like one that never was."""
    found = get_object_or_404(Share.objects.open().select_related("head"), token=token)
    path = Message.objects.path_to(found.head_id, after=number_in(request, "after")).rendered()[: MESSAGES_PER_PAGE + 1]
    entries = [Answer(message, rendering=cache.kept(message)) if message.role == Role.ASSISTANT else message for message in path]
    cache.keep(entry for entry in entries if isinstance(entry, Answer))
    more = entries[MESSAGES_PER_PAGE - 1].pk if len(entries) > MESSAGES_PER_PAGE else 0
    response = render(request, "shared.html", {"share": found, "entries": entries[:MESSAGES_PER_PAGE], "more": more})
    for name, value in HEADERS.items():
        response[name] = value
    return response


@require_POST
@signed_in
def go_on(request: SignedInRequest, token: str) -> HttpResponse:
    """Copy what is shared into a conversation of the reader's, to go on there."""
    found = get_object_or_404(Share.objects.open(), token=token)
    copy = continued(request.user, found)
    tell_of(copy, Kind.RESTORED)  # it is new, or may have been in the trash
    return redirect("conversation", copy.pk)

"""What has become of what a page shows, as partials: fetched when the page is told of a change, and when it may have missed some.

Each puts the current state in the place of what is there, or adds behind the last message that the page names.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from conversations.models import Conversation, Message

from .chat import deletion_notice, entries_of, listed
from .requests import SignedInRequest, signed_in


def number_in(request: HttpRequest, name: str) -> int:
    """A key in the address; 0 for what is none."""
    value = request.GET.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 19 else 0


@require_GET
@signed_in
def sidebar(request: SignedInRequest) -> HttpResponse:
    """The conversations of the sidebar; `?open=` is the one that the page shows."""
    return render(request, "_conversations.html", {"conversations": listed(request), "open": number_in(request, "open")})


@require_GET
@signed_in
def of_conversation(request: SignedInRequest, pk: int) -> HttpResponse:
    """The title, whether it is in the trash, and the turns behind message `?after=`. A message that was retried is replaced."""
    conversation = get_object_or_404(request.user.conversations, pk=pk)
    last = number_in(request, "after")
    turns = entries_of(conversation, last)
    replaced = last if turns and is_retried(conversation, last) else 0
    notice = deletion_notice(conversation) if conversation.deleted_at else None
    return render(request, "_news.html", {"conversation": conversation, "turns": turns, "replaced": replaced, "notice": notice})


def is_retried(conversation: Conversation, pk: int) -> bool:
    """Whether a message of the conversation is not in the shown path any more."""
    return not Message.objects.path_to(conversation.head_id).filter(pk=pk).exists()

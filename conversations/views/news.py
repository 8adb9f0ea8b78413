"""What has become of what a page shows, as partials: fetched when the page is told of a change, and when it may have missed some.

Each puts the current state in the place of what is there, or adds behind the last message that the page names.
"""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from conversations.models import Conversation, Message

from .notices import Notice
from .paths import is_on_path, path_after
from .requests import SignedInRequest, number_in, signed_in


@require_GET
@signed_in
def of_conversation(request: SignedInRequest, pk: int) -> HttpResponse:
    """The title, whether it is in the trash, and of the kept path what the page has not.

    The page names its `first` message, the last one (`after`), and the `rival` if it shows two answers to be compared.
    """
    conversation = get_object_or_404(request.user.conversations, pk=pk)
    first, last, rival = (number_in(request, name) for name in ("first", "after", "rival"))
    path = path_after(conversation, last_in_common(conversation, first, last, rival))
    is_current = not path["turns"] and path["after"] == last_of_path(conversation, last, rival)
    notice = Notice.of_conversation(conversation) if conversation.deleted_at else None
    return render(request, "_news.html", path | {"is_current": is_current, "notice": notice})


def last_in_common(conversation: Conversation, first: int, last: int, rival: int) -> int:
    """The last message of a page that is in the kept path and looks as it did; 0 if there is none."""
    if not last:
        return 0
    is_same_comparison = rival == (conversation.rival_id or 0)
    last = last_of_path(conversation, last, rival)
    if is_same_comparison and is_on_path(conversation, last):
        return last
    known, kept = keys_of(last, first), keys_of(conversation.head_id, first)
    if not is_same_comparison:
        known = known[:-1]
    return max((one for one, other in zip(known, kept, strict=False) if one == other), default=0)


def last_of_path(conversation: Conversation, last: int, rival: int) -> int:
    """The last message of the path that a page shows: where two are compared, the second is beside it."""
    return conversation.head_id or 0 if rival and last == rival == conversation.rival_id else last


def keys_of(end: int | None, first: int) -> list[int]:
    return list(Message.objects.path_to(end, after=max(first - 1, 0)).values_list("pk", flat=True))

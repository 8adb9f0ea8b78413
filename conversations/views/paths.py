"""What a page is to show of a path that has changed: what comes after the last message that has stayed."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from conversations.models import Conversation, Message, Role
from conversations.models.passages import LENGTH, last_passage
from conversations.rendering.answers import Answer
from conversations.rendering.prompts import Prompt

from .chat import find_own, turns_of
from .requests import SignedInRequest


def path_after(conversation: Conversation, after: int) -> dict[str, Any]:
    """What `_path.html` expects for a page that has the kept path up to `after`.

    A page that lacks more than a passage is given the last one whole.
    """
    passage = last_passage(conversation, after=after)
    is_whole = not after or len(passage.messages) == LENGTH
    return {"conversation": conversation, "passage": passage, "turns": turns_of(passage), "after": after, "is_whole": is_whole}


def path_beside(conversation: Conversation, message: Message) -> dict[str, Any]:
    """The kept path from where it leaves that to a message which a page shows, or may have shown."""
    before = message.parent_id or 0
    return path_after(conversation, before if is_on_path(conversation, before) else 0)


def path_in_place_of(request: SignedInRequest, message: Message, query: str = "", **more: Any) -> HttpResponse:
    """Reply to htmx with the path as it has become, to be put in the place of a message and of all behind it.

    A page that shows another passage than the last is led to the page that does, with `query` behind its address.
    """
    conversation = find_own(request, message.conversation_id)
    if shows_excerpt(request):
        address = reverse("conversation", args=[conversation.pk])
        return HttpResponse(headers={"HX-Redirect": f"{address}?{query}" if query else address})
    shown = path_beside(conversation, message)
    return render(request, "_path.html", {"said": place_of(message, shown["turns"])} | shown | more)


def place_of(message: Message, turns: Iterable[Prompt | Answer]) -> str:
    """Which of several a message is, in words; "" where it is the only one, or not shown."""
    siblings = next((turn.siblings for turn in turns if turn.pk == message.pk), None)
    noun = "Version" if message.role == Role.USER else "Answer"
    return f"{noun} {siblings.number} of {siblings.count}" if siblings else ""


def shows_excerpt(request: SignedInRequest) -> bool:
    """Whether the page that asks was opened on a passage of its own."""
    query = QueryDict(urlsplit(request.headers.get("HX-Current-URL", "")).query.encode())
    return "message" in query or "before" in query


def is_on_path(conversation: Conversation, pk: int) -> bool:
    return Message.objects.path_to(conversation.head_id, after=pk - 1).filter(pk=pk).exists()

"""The chat page, for a new conversation and for one there is, and the composer in it."""

import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from conversations.generation.journal import entries
from conversations.models import Conversation, LanguageModel, Message, Role
from conversations.models.conversations import own_conversation
from conversations.rendering.answers import Answer

from .requests import SignedInRequest

SIDEBAR_LENGTH = 200


@dataclass(slots=True)
class Composer:
    """What `_composer.html` expects."""

    action: str
    groups: list[tuple[str, list[LanguageModel]]]
    selected: int | None
    text: str = ""
    error: str = ""
    is_running: bool = False
    request_key: uuid.UUID = field(default_factory=uuid.uuid4)


def find_own(request: SignedInRequest, pk: int) -> Conversation:
    """The person's own conversation, not deleted; else 404."""
    if (conversation := own_conversation.first(pk, request.user.pk)) is None:
        raise Http404
    return conversation


def composer_for(conversation: Conversation | None, text: str = "", error: str = "", selected: int | None = None) -> Composer:
    available = list(LanguageModel.objects.available())
    if selected is None:
        selected = preselected(conversation, available)
    action = reverse("start_turn", args=[conversation.pk]) if conversation else reverse("start_conversation")
    groups = [(name, list(models)) for name, models in groupby(available, key=lambda model: model.provider.name)]
    return Composer(action, groups, selected, text, error)


def preselected(conversation: Conversation | None, available: Iterable[LanguageModel]) -> int | None:
    """The conversation's own model while people may pick it; else the default."""
    if conversation and any(model.pk == conversation.model_id for model in available):
        return conversation.model_id
    default = LanguageModel.objects.default()
    return default.pk if default else None


def chat_page(
    request: SignedInRequest, conversation: Conversation | None, composer: Composer, status: int = 200, **more: Any
) -> HttpResponse:
    since = int(time.time() * 1000)  # what changes from now on, the socket of the page tells
    turns = entries_of(conversation) if conversation else []
    composer.is_running = any(isinstance(entry, Answer) and entry.is_live for entry in turns)
    context = {
        "conversations": listed(request),
        "conversation": conversation,
        "open": conversation.pk if conversation else 0,
        "turns": turns,
        "composer": composer,
        "is_running": composer.is_running,
        "since": since,
        **more,
    }
    return render(request, "chat.html", context, status=status)


def deletion_notice(conversation: Conversation) -> dict[str, Any]:
    """What `_notice.html` says of a conversation in the trash."""
    return {"text": f"“{conversation.title}” was deleted.", "restore": conversation}


def listed(request: SignedInRequest) -> QuerySet[Conversation]:
    """What the sidebar lists, and which of it is being answered."""
    return request.user.conversations.active().with_running().only("title", "updated_at")[:SIDEBAR_LENGTH]


def entries_of(conversation: Conversation, after: int = 0) -> list[Message | Answer]:
    """The shown path, or what of it comes after a message; oldest first: prompts as they are, answers as their template expects them."""
    path = Message.objects.path_to(conversation.head_id).filter(pk__gt=after).shown()
    return [shown(message) if message.role == Role.ASSISTANT else message for message in path]


def shown(message: Message) -> Answer:
    generation = getattr(message, "generation", None)
    return Answer(message, entries(generation.pk) if generation and generation.is_live else ())

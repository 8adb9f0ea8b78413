"""The chat page, for a new conversation and for one there is, and the composer in it."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from conversations.forms.wishes import SettingsForm
from conversations.generation.journal import entries
from conversations.models import Conversation, LanguageModel, Message, Role, Siblings
from conversations.models.catalog import stand_in_for
from conversations.models.conversations import own_conversation
from conversations.models.passages import Passage, last_passage
from conversations.rendering import cache
from conversations.rendering.answers import Answer
from conversations.rendering.budgets import Standing, low_of
from conversations.rendering.prompts import Prompt

from .notices import Notice
from .panel import panel_for
from .requests import SignedInRequest
from .sidebar import sidebar_of


@dataclass(slots=True)
class Composer:
    """What `_composer.html` expects."""

    action: str
    groups: list[tuple[str, list[LanguageModel]]]
    selected: int | None
    text: str = ""
    error: str = ""
    is_running: bool = False
    succession: Notice | None = None  # said until the next turn, which the successor answers
    low: list[Standing] = field(default_factory=list)  # budgets of which little is left
    request_key: uuid.UUID = field(default_factory=uuid.uuid4)


def find_own(request: SignedInRequest, pk: int) -> Conversation:
    """The person's own conversation, not deleted; else 404."""
    if (conversation := own_conversation.first(pk, request.user.pk)) is None:
        raise Http404
    return conversation


def find_kept(request: SignedInRequest, pk: int) -> Conversation:
    """The person's own conversation, neither deleted nor temporary; else 404."""
    conversation = find_own(request, pk)
    if conversation.is_temporary:
        raise Http404
    return conversation


def composer_for(
    request: SignedInRequest, conversation: Conversation | None, text: str = "", error: str = "", selected: int | None = None
) -> Composer:
    groups: dict[str, list[LanguageModel]] = {}
    for model in LanguageModel.objects.available(request.user.pk):
        groups.setdefault(model.provider.name, []).append(model)
    action = reverse("start_turn", args=[conversation.pk]) if conversation else reverse("start_conversation")
    composer = Composer(action, list(groups.items()), selected, text, error)
    if selected is None:
        preselect(composer, conversation, request.user.pk)
    return composer


def preselect(composer: Composer, conversation: Conversation | None, person: int) -> None:
    """Select the conversation's own model while the person may pick it, and else what stands in for it."""
    if conversation and any(model.pk == conversation.model_id for _, models in composer.groups for model in models):
        composer.selected = conversation.model_id
        return
    former = conversation.model if conversation else None
    model = stand_in_for(former, person)
    composer.selected = model.pk if model else None
    if former and former.has_retired and model:
        composer.succession = Notice(f"has retired. {model.name} goes on in this conversation, unless you pick another model.", former.name)


def chat_page(
    request: SignedInRequest,
    conversation: Conversation | None,
    composer: Composer,
    status: int = 200,
    passage: Passage | None = None,
    settings: SettingsForm | None = None,
    **more: Any,
) -> HttpResponse:
    """The page of a conversation, with a passage of it, the last one if none is given; without one the page of a new chat."""
    sidebar = sidebar_of(request, conversation.pk if conversation else 0)
    if conversation and passage is None:
        passage = last_passage(conversation)
    turns = turns_of(passage) if passage else []
    composer.low = low_of(request.user.pk)
    composer.is_running = any(isinstance(entry, Answer) and entry.is_live for entry in turns)
    context = {
        "sidebar": sidebar,
        "conversation": conversation,
        "passage": passage,
        "turns": turns,
        "composer": composer,
        "panel": None if conversation else panel_for(settings, (model for _, models in composer.groups for model in models)),
        "is_running": composer.is_running,
        **more,
        "notice": more.get("notice") or composer.succession,
    }
    return render(request, "chat.html", context, status=status)


def turns_of(passage: Passage) -> list[Prompt | Answer]:
    """The messages of a passage as their templates expect them, two answers that are compared last. What had to be rendered is kept."""
    siblings = passage.siblings
    turns = [shown(message, siblings.get(message.pk)) for message in passage.messages]
    if passage.rival:
        turns.append(shown(passage.rival))
        for turn in turns[-2:]:
            turn.is_compared = True
    if passage.is_end and turns and isinstance(turns[-1], Prompt):
        turns[-1].is_unanswered = True
    cache.keep(turn for turn in turns if isinstance(turn, Answer))
    return turns


def shown(message: Message, siblings: Siblings | None = None) -> Prompt | Answer:
    if message.role == Role.USER:
        return Prompt(message, siblings)
    generation = getattr(message, "generation", None)
    journal = entries(generation.pk) if generation and generation.is_live else ()
    return Answer(message, journal, cache.kept(message), siblings)

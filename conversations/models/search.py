"""Finding what a person wrote and was answered: in what is theirs, not deleted, and not temporary.

The databases keep their indexes in step by themselves (migration 0008, `search_triggers`), so nothing here or elsewhere has to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from . import search_postgresql, search_sqlite
from .conversations import Conversation
from .keys import LARGEST_KEY
from .messages import Message
from .search_terms import Terms

PAGE = 20
MOST_TITLES = 5
SHOWN = ("conversation", "role", "text", "created_at", "conversation__title")


@dataclass(frozen=True, slots=True)
class Found:
    """Messages, newest first. Where there are older ones, they are those before message `older`."""

    messages: Sequence[Message]
    older: int | None


def find_messages(owner: int, terms: Terms, before: int = 0, most: int = PAGE) -> Found:
    """The newest messages of `owner`'s that hold all the terms; those before message `before`, where that is given."""
    if not terms:
        return Found([], None)
    keys = _index().messages(owner, terms, before if 0 < before <= LARGEST_KEY else LARGEST_KEY, most + 1)
    messages = Message.objects.filter(pk__in=keys[:most]).select_related("conversation").only(*SHOWN).order_by("-pk")
    return Found(list(messages), keys[most - 1] if len(keys) > most else None)


def find_titles(owner: int, terms: Terms, most: int = MOST_TITLES) -> Sequence[Conversation]:
    """The conversations of `owner`'s whose titles hold all the terms, last used first."""
    if not terms:
        return []
    return list(Conversation.objects.filter(pk__in=_index().titles(owner, terms, most)).only("title", "updated_at"))


def _index() -> "type[search_sqlite.Index] | type[search_postgresql.Index]":
    return search_postgresql.Index if connection.vendor == "postgresql" else search_sqlite.Index

"""A conversation as Markdown: the path that is shown, for people to read and to paste."""

from collections.abc import Iterator

from django.utils import timezone

from conversations.events import EventKind
from conversations.models import Conversation, Message, Role
from conversations.tool_events import result_in, start_in

from .reading import path_to
from .tools import fenced


def pieces(conversation: Conversation) -> Iterator[str]:
    yield f"# {' '.join(conversation.title.split())}\n\n*Exported on {timezone.localdate():%Y-%m-%d}*\n"
    for message in path_to(conversation.head_id):
        yield f"\n---\n\n## {heading_of(message)}\n"
        if message.reasoning:
            yield f"\n<details><summary>Reasoning</summary>\n\n{message.reasoning.strip()}\n\n</details>\n"
        yield from told(message)


def told(message: Message) -> Iterator[str]:
    """Yield the text of a message, and where a tool was called what it was told and said."""
    for event in message.events():
        if event.kind == EventKind.TEXT_DELTA:
            yield f"\n{event.data.strip()}\n"
        elif event.kind == EventKind.TOOL_START and not (start := start_in(event)).waits:
            yield f"\n{fenced(f'*Called {named(start.name)}:*', start.arguments)}\n"
        elif event.kind == EventKind.TOOL_RESULT:
            yield f"\n{fenced('*It said:*', result_in(event).text)}\n"


def named(name: str) -> str:
    return "".join(character if character.isalnum() or character in "_-." else " " for character in name)


def heading_of(message: Message) -> str:
    """Who wrote it; of an answer that a person has written anew, that too: no model said it so."""
    if message.role == Role.USER:
        return "You"
    return (" ".join(message.written_by.split()) or "Answer") + (" (edited)" if message.edited_at else "")

"""A conversation as Markdown: the path that is shown, for people to read and to paste."""

from collections.abc import Iterator

from django.utils import timezone

from conversations.models import Conversation, Message, Role

from .reading import path_to


def pieces(conversation: Conversation) -> Iterator[str]:
    yield f"# {' '.join(conversation.title.split())}\n\n*Exported on {timezone.localdate():%Y-%m-%d}*\n"
    for message in path_to(conversation.head_id):
        yield f"\n---\n\n## {heading_of(message)}\n"
        if message.reasoning:
            yield f"\n<details><summary>Reasoning</summary>\n\n{message.reasoning.strip()}\n\n</details>\n"
        yield f"\n{message.text.strip()}\n"


def heading_of(message: Message) -> str:
    return "You" if message.role == Role.USER else " ".join(message.written_by.split()) or "Answer"

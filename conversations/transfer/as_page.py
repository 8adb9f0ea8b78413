"""A conversation as one HTML file that stands alone: the path that is shown, as the site shows it."""

from collections.abc import Iterator

from conversations.models import Conversation
from conversations.rendering.standalone import entry, frame

from .reading import path_to


def pieces(conversation: Conversation) -> Iterator[str]:
    beginning, end = frame(conversation.title)
    yield beginning
    for message in path_to(conversation.head_id):
        yield entry(message)
    yield end

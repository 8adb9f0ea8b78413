"""The formats a conversation can be had in."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from conversations.models import Conversation

from . import as_json, as_markdown, as_page
from .names import file_name


class Format(NamedTuple):
    name: str
    extension: str
    content_type: str
    pieces: Callable[[Conversation], Iterator[str]]

    def file_name(self, conversation: Conversation) -> str:
        return file_name(conversation.title, self.extension)


FORMATS = {
    "markdown": Format("Markdown", "md", "text/markdown; charset=utf-8", as_markdown.pieces),
    "html": Format("Web page", "html", "text/html; charset=utf-8", as_page.pieces),
    "json": Format("JSON", "json", "application/json", as_json.pieces),
}

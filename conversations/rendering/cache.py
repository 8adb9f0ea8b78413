"""The HTML of finished answers is kept, so that opening a conversation renders nothing again.

A text never changes once its answer has ended, so what is kept is right for as long as this room writes the same HTML for it.
Any row may be lost, or be of another version: then it is made again.
"""

from collections.abc import Iterable
from contextlib import suppress

from django.db import DatabaseError, transaction

from conversations.models import Message, Rendering

from .answers import Answer

VERSION = 2  # of what this room writes: tests/rendering/test_cache.py fails where that changes and this does not


def kept(message: Message) -> Rendering | None:
    """Return the rendering that was read with a message, if it is of this version."""
    rendering: Rendering | None = getattr(message, "rendering", None)
    return rendering if rendering and rendering.version == VERSION else None


def keep(answers: Iterable[Answer]) -> None:
    """Keep the HTML of the finished ones of which none was kept. A database that cannot take it now is asked the next time."""
    rows = [
        Rendering(
            message_id=answer.pk,
            version=VERSION,
            text_html=answer.text_html,
            reasoning_html=answer.reasoning_html,
            steps_html=answer.steps_html,
        )
        for answer in answers
        if answer.is_to_be_kept
    ]
    if rows:
        with suppress(DatabaseError), transaction.atomic():
            Rendering.objects.bulk_create(
                rows,
                update_conflicts=True,
                unique_fields=["message"],
                update_fields=["version", "text_html", "reasoning_html", "steps_html"],
            )

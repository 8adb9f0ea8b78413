"""How a test sends a prompt: as a page, as htmx or as a program; and what it looks at afterwards."""

import uuid
from typing import Any

from django.test import Client

from conversations.models import Conversation, Generation, LanguageModel, Message, Status, Turn

HTMX = {"HX-Request": "true"}
JSON = {"Accept": "application/json"}
START = "/conversations"


def rows() -> tuple[int, int, int]:
    return Conversation.objects.count(), Message.objects.count(), Generation.objects.count()


def finish(turn: Turn) -> Turn:
    Generation.objects.filter(pk=turn.generation.pk).update(status=Status.COMPLETE)
    return turn


def send(browser: Client, url: str, prompt: str, model: LanguageModel, **how: Any) -> Any:
    fields = {"prompt": prompt, "model": model.pk, "request_key": how.pop("key", uuid.uuid4())}
    return browser.post(url, fields, **how)

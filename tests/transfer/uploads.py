"""Uploaded files for tests: written, waiting, and taken in here and now."""

import json
import zipfile
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User

from conversations.models import Import
from conversations.transfer.files import path_of
from conversations.transfer.intake import take_in

SAMPLES = Path(__file__).parent / "samples"


def waiting(owner: User, source: bytes, name: str = "conversations.json") -> Import:
    row = Import.objects.create(owner=owner, file_name=name)
    path_of(row.pk).write_bytes(source)
    return row


def taken_in(owner: User, source: bytes | list[Any]) -> Import:
    row = waiting(owner, source if isinstance(source, bytes) else json.dumps(source).encode())
    take_in(row)
    row.refresh_from_db()
    return row


def zipped(path: Path, compression: int = zipfile.ZIP_DEFLATED, **entries: bytes) -> bytes:
    """A zip; `__` in a name stands for a dot."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("__", "."), content)
    return path.read_bytes()


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def conversation(number: int, text: str = "Hello", turns: int = 1) -> dict[str, Any]:
    """A small conversation in the shape of Claude's export."""
    messages = [
        {"uuid": f"{number}-{turn}-{sender}", "sender": sender, "text": f"{text} {turn}"}
        for turn in range(turns)
        for sender in ("human", "assistant")
    ]
    return {"uuid": f"conversation-{number}", "name": f"Number {number}", "chat_messages": messages}

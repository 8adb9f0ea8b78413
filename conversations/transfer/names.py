"""Names: of the files that leave the site, and of a conversation wherever it goes."""

import unicodedata
from collections.abc import Iterable

from django.utils.crypto import salted_hmac

from conversations.models import Conversation

LONGEST = 60  # characters; at most four bytes each, and every file system takes 255
# Names that Windows keeps for devices, whatever the extension (learn.microsoft.com, "Naming Files, Paths, and Namespaces").
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}


def file_name(title: str, extension: str) -> str:
    """Return a name that every file system takes and no shell or path can be led astray by."""
    words = "".join(kept(unicodedata.normalize("NFC", title))).split()
    stem = " ".join(words)[:LONGEST].strip(" -") or "conversation"
    return f"{'_' if stem.lower() in DEVICES else ''}{stem}.{extension}"


def kept(title: str) -> Iterable[str]:
    """Letters of every script with their marks, digits and dashes; the rest becomes a space."""
    return (character if character in "-_" or unicodedata.category(character)[0] in "LMN" else " " for character in title)


def site_key() -> str:
    """What tells this site from all others, and nothing about it."""
    return salted_hmac("conversations.transfer", "site", algorithm="sha256").hexdigest()[:16]


def source_key(conversation: Conversation) -> str:
    """The name of a conversation wherever it goes: that of its first source, if it was imported."""
    return conversation.source_key or f"chatsite:{site_key()}:{conversation.pk}"

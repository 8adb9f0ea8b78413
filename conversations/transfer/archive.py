"""All conversations of a person as one zip, a file for each, written while it is sent: it never lies whole in memory or on disk."""

from collections.abc import Iterator
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.contrib.auth.models import User
from django.utils import timezone

from conversations.models import Conversation

from .formats import Format
from .reading import conversations_of

PIECE = 64 * 1024  # bytes


class Sink:
    """What a ZipFile writes into. It cannot be sought or told in, so the zip is written for a stream."""

    def __init__(self) -> None:
        self._written = bytearray()

    def __len__(self) -> int:
        return len(self._written)

    def write(self, data: bytes, /) -> int:
        self._written += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def close(self) -> None:
        """It holds nothing but memory."""

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


def pieces(owner: User, form: Format) -> Iterator[bytes]:
    sink = Sink()
    with ZipFile(sink, "w") as archive:
        for conversation in conversations_of(owner):
            with archive.open(entry(conversation, form), "w") as file:
                for piece in form.pieces(conversation):
                    file.write(piece.encode())
                    if len(sink) >= PIECE:
                        yield sink.take()
    yield sink.take()


def entry(conversation: Conversation, form: Format) -> ZipInfo:
    """The number comes first: two conversations may have one title."""
    when = timezone.localtime(conversation.updated_at)
    moment = (min(max(when.year, 1980), 2107), *when.timetuple()[1:6])
    found = ZipInfo(f"{conversation.pk:06} {form.file_name(conversation)}", moment)
    found.compress_type = ZIP_DEFLATED
    found.external_attr = 0o600 << 16
    return found

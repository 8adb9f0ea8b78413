"""Uploaded files: where they lie until they are read, and which parts of them hold conversations.

A zip is never unpacked onto the disk. What it says of its sizes is believed only downwards: a reader ends where an entry was said to end.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from django.conf import settings

from .drafts import short
from .refusals import FileRefused

MOST_ENTRIES = 200_000  # of a zip; each costs half a kilobyte of memory
LARGEST_DIRECTORY = MOST_ENTRIES * 100  # bytes
HIGHEST_RATIO = 100  # unpacked to packed; text of people reaches 20, a bomb 1,000
UNPACKED = 20  # times IMPORT_MAX_MB, all entries together
SMALL = 2**20  # bytes: no entry of less is a bomb
_CONVERSATIONS = re.compile(r"(?:^|/)conversations(?:[-_]\d+)?\.json$", re.IGNORECASE)
COMING = ".coming"  # the name of an upload that is being put there ends so
_TAIL = 65_558  # bytes: as far back as zipfile looks for the last record of a zip (22), which a comment may follow
_END, _LOCATOR, _ZIP64 = 22, 20, 76  # bytes: the last record; in front of it that of a large zip (56) and its locator
_PACKED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # bzip2 and LZMA unpack far more at once than is asked of them


class Part(NamedTuple):
    """A file, or an entry of a zip."""

    name: str
    size: int
    entry: zipfile.ZipInfo | None = None


def directory() -> Path:
    """Where uploads lie: their keys are their names, so nothing of a person's goes into a path."""
    found: Path = settings.DATA_DIR / "imports"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def path_of(import_id: int) -> Path:
    return directory() / str(import_id)


class Upload:
    """An uploaded file that is open. Use it as `with opened(path) as upload`."""

    def __init__(self, path: Path, archive: zipfile.ZipFile | None) -> None:
        self._path, self._archive = path, archive
        self.parts = parts_of(archive) if archive else [Part("", path.stat().st_size)]

    @contextmanager
    def reading(self, part: Part) -> Iterator[IO[bytes]]:
        """Open a part. Raises FileRefused, also while it is read, for one that is damaged or encrypted."""
        try:
            with self._archive.open(part.entry) if self._archive and part.entry else self._path.open("rb") as file:
                yield file
        except (zipfile.BadZipFile, zlib.error, EOFError):
            raise FileRefused(f"The zip is damaged at {part.name}. What stands before is imported.") from None
        except NotImplementedError:
            raise FileRefused(f"{part.name} is packed in a way that cannot be read here. Pack it again as an ordinary zip.") from None


@contextmanager
def opened(path: Path) -> Iterator[Upload]:
    """Raises FileRefused for a zip that is none, is a bomb, or has nothing in it that can be imported."""
    with path.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    if not is_zip:
        yield Upload(path, None)
        return
    check_directory(path)
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise FileRefused("This zip is damaged. Download the export again.") from None
    with archive:
        yield Upload(path, archive)


def check_directory(path: Path) -> None:
    """Refuse a zip whose directory would fill the memory: it is read at once (APPNOTE.TXT 4.3.14 to 4.3.16).

    What looks like its size may also stand in the comment, so it is read where zipfile reads it.
    """
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL - _ZIP64))
        tail = file.read()
    for end in {len(tail) - _END, tail.rfind(b"PK\5\6")}:
        entries, size = size_of_directory(tail, end)
        if entries > MOST_ENTRIES or size > LARGEST_DIRECTORY:
            raise FileRefused("There are too many files in this zip.")


def size_of_directory(tail: bytes, end: int) -> tuple[int, int]:
    """How many entries and bytes the last record says that the directory has; that of a large zip stands before it and counts instead."""
    if end < 0 or len(tail) < end + _END or not tail.startswith(b"PK\5\6", end):
        return 0, 0
    large = end - _ZIP64
    if large >= 0 and tail.startswith(b"PK\6\7", end - _LOCATOR) and tail.startswith(b"PK\6\6", large):
        entries, size = struct.unpack_from("<QQ", tail, large + 32)
    else:
        entries, size = struct.unpack_from("<HI", tail, end + 10)
    return entries, size


def parts_of(archive: zipfile.ZipFile) -> list[Part]:
    """The entries with conversations: `conversations.json`, or all JSON files where there is none, as in this site's own export."""
    entries = [entry for entry in archive.infolist() if entry.filename.lower().endswith(".json") and not entry.is_dir()]
    entries = [entry for entry in entries if not entry.filename.startswith("__MACOSX/")]
    chosen = [entry for entry in entries if _CONVERSATIONS.search(entry.filename)] or entries
    if not chosen:
        raise FileRefused("There is no conversations.json in this zip, nor another JSON file. Import the file as it was exported.")
    if any(entry.flag_bits & 1 for entry in chosen):
        raise FileRefused("This zip is encrypted. Unpack it, and import the conversations.json in it.")
    if any(entry.compress_type not in _PACKED for entry in chosen):
        raise FileRefused("This zip is packed in a way that cannot be read here. Pack it again as an ordinary zip.")
    if any(is_bomb(entry) for entry in chosen) or sum(entry.file_size for entry in chosen) > UNPACKED * settings.IMPORT_MAX_MB * 2**20:
        raise FileRefused("This zip would be too large when it is unpacked.")
    return [Part(short(entry.filename), entry.file_size, entry) for entry in chosen]


def is_bomb(entry: zipfile.ZipInfo) -> bool:
    return entry.file_size > SMALL and entry.file_size > HIGHEST_RATIO * max(1, entry.compress_size)

"""Takes one uploaded file in: conversation by conversation, each in a transaction of its own, telling how far it is.

It may end anywhere and be begun again: what is here already is passed over.
"""

import logging
import secrets
import time
from typing import Any

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from conversations.models import Import
from conversations.models.imports import COUNTS, MOST_TOLD, ImportStatus

from .drafts import Draft
from .files import Part, Upload, opened, path_of
from .keeping import keep_new
from .refusals import FileRefused, Refused
from .sources import draft_of, title_in
from .splitting import Item, items

log = logging.getLogger(__name__)

TELL_SECONDS = 0.5
MOST_REFUSED, MOST_ITEMS = 1_000, 100_000  # conversations of a file
LONGEST_REST = 0.5  # seconds
GONE = "The uploaded file is gone. Import it again: what is here already is not doubled."
NOT_KEPT = "It could not be kept. The people who run this site find the reason in its log."
BROKEN = "Something went wrong on our side. What has been imported stays; continue, or import the file again."


class NoLongerOurs(Exception):
    """It was stopped, or somebody else has taken it over."""


def take_in(row: Import) -> None:
    """Import a file that is waiting; a file that is done with is removed."""
    if row.claim(secrets.token_hex(8)):
        Intake(row).run()


class Intake:
    """The work on one file, and what is to be told of it."""

    def __init__(self, row: Import) -> None:
        self.row, self.owner = row, row.owner
        self.position = self.added = self.known = self.refused = self.shortened = 0
        self.problems: list[dict[str, Any]] = []
        self.cuts: list[dict[str, Any]] = []
        self._told = 0.0
        self._rested = time.monotonic()

    def run(self) -> None:
        path = path_of(self.row.pk)
        try:
            with opened(path) as upload:
                self.tell(size=sum(part.size for part in upload.parts))
                for part in upload.parts:
                    self.take_part(upload, part)
            path.unlink(missing_ok=True)
            self.finish(ImportStatus.COMPLETE)
        except FileRefused as refusal:
            path.unlink(missing_ok=True)
            self.finish(ImportStatus.FAILED, str(refusal))
        except FileNotFoundError:
            self.finish(ImportStatus.FAILED, GONE)
        except NoLongerOurs:
            pass
        except Exception:
            log.exception("Import %s broke off.", self.row.pk)
            self.finish(ImportStatus.FAILED, BROKEN)

    def take_part(self, upload: Upload, part: Part) -> None:
        with upload.reading(part) as file:
            for item in items(file, self.count):
                self.take_item(part, item)
                self.refuse_nonsense()
                self.rest()

    def take_item(self, part: Part, item: Item) -> None:
        found: dict[str, Any] | None = None
        try:
            found = item.read()
            draft = readable(found)
            is_new = keep_new(self.owner, draft, self.rest)
            self.added += is_new
            self.known += not is_new
            self.tell_of_cut(part, item, draft)
        except Refused as refusal:
            self.refuse(part, item, found, str(refusal))
        except (OperationalError, InterfaceError, NoLongerOurs):  # none of them is about this conversation
            raise
        except Exception:
            log.exception("A conversation in import %s could not be kept.", self.row.pk)
            self.refuse(part, item, found, NOT_KEPT)

    def tell_of_cut(self, part: Part, item: Item, draft: Draft) -> None:
        """Also of one that was here already: the import that brought it may have broken off before it told."""
        if reason := draft.cut():
            self.shortened += 1
            if len(self.cuts) < MOST_TOLD:
                self.cuts.append(place_of(part, item) | {"title": draft.name(), "reason": reason})

    def refuse(self, part: Part, item: Item, found: Any, reason: str) -> None:
        self.refused += 1
        if len(self.problems) < MOST_TOLD:
            self.problems.append(place_of(part, item) | {"title": title_in(found), "reason": reason})

    def refuse_nonsense(self) -> None:
        """Raises FileRefused for a file that would keep this process busy with what is hardly anybody's export."""
        if self.refused >= MOST_REFUSED:
            raise FileRefused(f"{MOST_REFUSED:,} of its conversations could not be read, so it was not read on. The others are imported.")
        if self.added + self.known + self.refused >= MOST_ITEMS:
            raise FileRefused(f"It was read as far as its conversation number {MOST_ITEMS:,}. Import the rest as a file of its own.")

    def count(self, size: int) -> None:
        self.position += size

    def rest(self) -> None:
        """Rest as long as the work took: the site writes to the same database. Raises NoLongerOurs."""
        time.sleep(min(time.monotonic() - self._rested, LONGEST_REST))
        if time.monotonic() - self._told > TELL_SECONDS:
            self.tell()
        self._rested = time.monotonic()

    def tell(self, **more: object) -> None:
        """Keep how far it is. Raises NoLongerOurs."""
        self._told = time.monotonic()
        if not self.row.tell(**self.counts, **more):
            raise NoLongerOurs
        Import.objects.filter(status=ImportStatus.WAITING).update(heard_at=timezone.now())  # somebody is here who will come to them

    def finish(self, status: ImportStatus, error: str = "") -> None:
        self.row.finish(status, error, **self.counts)

    @property
    def counts(self) -> dict[str, Any]:
        """How far it is."""
        return {name: getattr(self, name) for name in (*COUNTS, "problems", "cuts")}


def place_of(part: Part, item: Item) -> dict[str, Any]:
    """Where a conversation stands in an uploaded file."""
    return {"file": part.name, "number": item.number, "line": item.line}


def readable(found: dict[str, Any]) -> Draft:
    """Raises Refused, also for a shape that nobody has thought of: that one is in the log."""
    try:
        return draft_of(found)
    except (TypeError, ValueError, AttributeError, KeyError, IndexError, RecursionError):
        log.exception("A conversation in an imported file has an unknown shape.")
        raise Refused("It could not be read.") from None

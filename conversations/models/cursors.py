"""Cursors: where a page of a long list ends. The next page begins behind the row, however many came before it meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self

from django.db.models import Q

from .keys import LARGEST_KEY

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LONGEST = 17  # digits of microseconds: the year 5138


class Cursor(NamedTuple):
    """A row of a list that is ordered by a moment and then by key, the newest first."""

    moment: datetime
    pk: int

    def __str__(self) -> str:
        return f"{(self.moment - EPOCH) // MICROSECOND}-{self.pk}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read what `str` wrote; None for anything else."""
        microseconds, _, pk = text.partition("-")
        if not all(part.isascii() and part.isdecimal() for part in (microseconds, pk)) or len(microseconds) > LONGEST:
            return None
        return cls(EPOCH + int(microseconds) * MICROSECOND, int(pk)) if len(pk) < 20 and int(pk) <= LARGEST_KEY else None

    def before(self, field: str) -> Q:
        """The rows behind this one. The first condition alone says where an index is entered."""
        return Q(**{f"{field}__lte": self.moment}) & (Q(**{f"{field}__lt": self.moment}) | Q(pk__lt=self.pk))

    def until(self, field: str) -> Q:
        """This row, and those in front of it."""
        return Q(**{f"{field}__gte": self.moment}) & (Q(**{f"{field}__gt": self.moment}) | Q(pk__gte=self.pk))

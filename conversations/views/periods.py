"""Days as a person says them, in their time zone as far as their browser has told it, else in the site's."""

from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateformat import format as formatted

COOKIE = "timezone"  # set by live.js
SPANS = ((0, "Today"), (1, "Yesterday"), (7, "Previous 7 days"), (30, "Previous 30 days"))  # the days that have gone by, at most


class Calendar:
    """The days of one person."""

    def __init__(self, request: HttpRequest) -> None:
        self.zone = zone_named(request.COOKIES.get(COOKIE, ""))
        self.today = self.day(timezone.now())

    def day(self, moment: datetime) -> date:
        return timezone.localtime(moment, self.zone).date()

    def period(self, moment: datetime) -> str:
        """The heading under which a list by date has a moment."""
        day = self.day(moment)
        age = (self.today - day).days
        return next((name for days, name in SPANS if age <= days), formatted(day, "F Y"))


def zone_named(name: str) -> ZoneInfo | None:
    """None, which stands for the site's own, where the name is none: a cookie may hold anything."""
    try:
        return ZoneInfo(name.replace("%2F", "/")) if 0 < len(name) < 64 else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None

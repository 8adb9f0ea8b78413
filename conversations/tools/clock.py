"""What time it is."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone

from .base import ToolError


def current_time(time_zone: Annotated[str, 'A name such as "Europe/Berlin"; empty for the one of this site.'] = "") -> str:
    """Tell the date, the time and the day of the week."""
    try:
        zone = ZoneInfo(time_zone.strip()) if time_zone.strip() else timezone.get_current_timezone()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ToolError('There is no such time zone. Use a name of the IANA data base, such as "Europe/Berlin".') from None
    now = timezone.now().astimezone(zone)
    return f"{now:%A, %Y-%m-%d %H:%M:%S} {now:%z} ({zone})"

"""Pace: how often a person may ask models in a minute, and for how many answers at once, in whatever way and whichever process.

One guarded update for each answer says both. It counts by the clock of the database.
"""

from math import ceil
from typing import NamedTuple

from django.conf import settings
from django.db import connection, models

from .refusals import TooFast

MINUTE = 60.0  # seconds
UNLIMITED = 2**31
SOON = 5  # seconds after which to try again where nobody knows when an answer ends
CLOCKS = {  # the moment, in seconds; on PostgreSQL not that of the beginning of the transaction, which may have waited for a lock
    "postgresql": "extract(epoch FROM clock_timestamp())",
    "sqlite": "((julianday('now') - 2440587.5) * 86400)",
}
OPEN = """(
    SELECT count(*) FROM conversations_generation g
    JOIN conversations_message m ON m.id = g.message_id JOIN conversations_conversation c ON c.id = m.conversation_id
    WHERE g.status IN ('queued', 'running') AND c.owner_id = %(person)s
) + (SELECT count(*) FROM conversations_apicall WHERE person_id = %(person)s)"""
# PostgreSQL lets who waited for the row go on with what else it had read before. The last line finds that out: another one has begun since.
BEGIN = f"""
UPDATE conversations_pace
SET begun = begun + 1, free_at = CASE WHEN free_at > {{now}} THEN free_at ELSE {{now}} END + %(step)s
WHERE person_id = %(person)s AND free_at <= {{now}} + %(room)s AND {OPEN} < %(at_once)s
AND begun = (SELECT begun FROM conversations_pace WHERE person_id = %(person)s)
"""  # noqa: S608 - put together from constants
LOOK = f"SELECT free_at - {{now}}, {OPEN} FROM conversations_pace WHERE person_id = %(person)s"  # noqa: S608 - constants, too


class Pace(models.Model):
    """How fast a person has been asking lately."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="+")
    begun = models.PositiveBigIntegerField(default=0, help_text="Answers asked for so far, while there was a limit.")
    free_at = models.FloatField(default=0, help_text="When all of a minute's requests are free again: seconds since 1970.")

    def __str__(self) -> str:
        return f"pace of person {self.person_id}"


class Limits(NamedTuple):
    """What the settings allow; 0 is no limit."""

    a_minute: int
    at_once: int

    def parameters(self, person: int) -> dict[str, float]:
        step = MINUTE / self.a_minute if self.a_minute else 0.0
        room = MINUTE - step if self.a_minute else float(UNLIMITED)
        return {"person": person, "step": step, "room": room, "at_once": self.at_once or UNLIMITED}


def keep_pace(person: int) -> None:
    """Count one more answer of the person's, in the transaction that begins it. Raises TooFast where that is one too many.

    Until that transaction ends no other answer of the person's begins.
    """
    limits = Limits(settings.REQUESTS_PER_MINUTE, settings.ANSWERS_AT_ONCE)
    if not any(limits):
        return
    parameters = limits.parameters(person)
    while not has_begun(parameters):
        refuse_if_too_fast(limits, parameters)


def has_begun(parameters: dict[str, float]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(BEGIN.format(now=CLOCKS[connection.vendor]), parameters)
        return bool(cursor.rowcount)


def refuse_if_too_fast(limits: Limits, parameters: dict[str, float]) -> None:
    """Say why it did not begin; say nothing where it may be tried again: it was the person's first, or another one came in between."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK.format(now=CLOCKS[connection.vendor]), parameters)
        found = cursor.fetchone()
    if found is None:
        Pace.objects.bulk_create([Pace(person_id=int(parameters["person"]))], ignore_conflicts=True)
        return
    ahead, is_open = found
    if is_open >= parameters["at_once"]:
        raise TooFast(at_once_sentence(limits.at_once), "too_many_at_once", SOON)
    if ahead > parameters["room"]:
        seconds = max(1, ceil(ahead - parameters["room"]))
        raise TooFast(a_minute_sentence(limits.a_minute, seconds), "too_many", seconds)


def a_minute_sentence(limit: int, seconds: int) -> str:
    possible = f"{counted(limit, 'request')} a minute {'is' if limit == 1 else 'are'} possible"
    return f"That was too often: {possible}. Wait {counted(seconds, 'second')}, then send again."


def at_once_sentence(limit: int) -> str:
    being_written = f"{counted(limit, 'answer')} of yours {'is' if limit == 1 else 'are'} being written"
    return f"{being_written}, and no more are possible at once. Wait for one or stop it, then send again."


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

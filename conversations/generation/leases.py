"""Leases: what a process asks the database about generations, to run one, to keep it, and to find what nobody runs.

Nothing is taken here that was not won in one guarded update.
"""

import logging
import time
from contextlib import nullcontext
from typing import NamedTuple

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from chatsite import threads
from conversations.models import Generation, Status
from conversations.models.generations import generation_to_run, lease_end

from .ending import BROKEN, Outcome, end, settle
from .history import Assignment, assignment_of

log = logging.getLogger(__name__)

CLOCKS = {  # the moment that `Now()` is, in seconds
    "postgresql": "SELECT extract(epoch FROM statement_timestamp())",
    "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400",
}


def take(generation_id: int, owner: str, *, takes_over: bool = True) -> Assignment | None:
    """Claim a generation; return what is to be done, or None if somebody else won it or there is nothing left to run.

    Without `takes_over` only what is queued is taken: whether a lease that has run out counts, `Leniency` says and no wake-up.
    To take over is one transaction: an owner that died between its claim and the ledger would leave an attempt that nobody accounts for.
    """
    generation = generation_to_run.first(generation_id)
    if generation is None or not (takes_over or generation.status == Status.QUEUED):
        return None
    with transaction.atomic() if generation.attempt else nullcontext():
        return assigned(generation) if generation.claim(owner) else None


def assigned(generation: Generation) -> Assignment | None:
    """Return what the new owner of a generation is to do; None where that is nothing more."""
    try:
        return None if generation.attempt > 1 and settle(generation) else assignment_of(generation)
    except DatabaseError:
        raise  # its lease runs out, and it is taken again
    except Exception:  # it could never be run: that is said now, and not at each new try
        log.exception("Generation %s cannot be run.", generation.pk)
        end(generation, Outcome(Status.FAILED, "internal_error", BROKEN))
        return None


def is_stop_requested(generation_id: int) -> bool:
    return Generation.objects.filter(pk=generation_id).exclude(stop_requested_at=None).exists()


class Found(NamedTuple):
    """What a process learns about generations when it renews its leases."""

    lost: list[int]  # it ran them, and somebody else does now
    stopped: list[int]
    queued: list[int]
    abandoned: list[int]  # whoever ran them let the lease run out
    ahead: float  # seconds by which the clock of the database is ahead of the one that counts how long this process runs


class Leniency:
    """Whether leases that have run out count, or whoever holds them is given the time to renew them first.

    It is given after a time without the database, in which nobody could, and after a jump of the clock that leases count by.
    """

    def __init__(self) -> None:
        self._heard, self._until = time.monotonic(), 0.0
        self._ahead: float | None = None

    def counts(self, ahead: float) -> bool:
        """Say it after each renewal, with what that found of the clock."""
        now, enough = time.monotonic(), settings.LEASE_SECONDS - settings.HEARTBEAT_SECONDS
        has_jumped = self._ahead is not None and abs(ahead - self._ahead) > enough / 2
        if now - self._heard > enough or has_jumped:
            self._until = now + settings.LEASE_SECONDS
        self._heard, self._ahead = now, ahead
        return now >= self._until


def renew(owner: str, running: list[int]) -> Found:
    """Renew the leases of `owner`; return what is to be done."""
    with transaction.atomic():
        mine = Generation.objects.owned_by(owner).filter(pk__in=running).order_by("pk")  # locked in the order in which the journal does
        kept = dict(mine.select_for_update().values_list("pk", "stop_requested_at"))
        Generation.objects.filter(pk__in=kept).update(heartbeat_at=timezone.now(), lease_until=lease_end())
    free = list(Generation.objects.claimable().order_by("pk").values_list("pk", "status")[:100])
    ahead = database_ahead()  # after what the clock decided: a jump in between is seen
    return Found(
        lost=[pk for pk in running if pk not in kept],
        stopped=[pk for pk, stop in kept.items() if stop],
        queued=[pk for pk, status in free if status == Status.QUEUED],
        abandoned=[pk for pk, status in free if status == Status.RUNNING],
        ahead=ahead,
    )


def database_ahead() -> float:
    with connection.cursor() as cursor:
        cursor.execute(CLOCKS[connection.vendor])
        return float(cursor.fetchone()[0]) - time.monotonic()


take_in_thread = threads.in_thread(threads.generation, take)
is_stop_requested_in_thread = threads.in_thread(threads.generation, is_stop_requested)
renew_in_thread = threads.in_thread(threads.generation, renew)

"""An attempt that failed before anything was shown: whether the provider is asked again by itself, and after how long."""

import random

from django.db import Error, transaction

from conversations.models import Generation
from conversations.providers.errors import ProviderError

from .ending import Outcome, account

MAX_TRIES = 3
FIRST_PAUSE = 0.5  # seconds; twice as long before the next one, and by a half more or less, so that not all come back at once
LONGEST_PAUSE = 10.0  # seconds; who is to wait longer is told so, and decides


def pause_before_next(error: ProviderError, tries: int) -> float | None:
    """Return the seconds to wait after so many tries, as the provider asks and some more; None where it is for the person to try again."""
    if not error.is_temporary or tries >= MAX_TRIES:
        return None
    asked_for = error.retry_after or 0
    pause = asked_for + FIRST_PAUSE * 2 ** (tries - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
    return pause if asked_for <= LONGEST_PAUSE else None


def begin_next_attempt(generation: Generation, outcome: Outcome) -> bool:
    """Account for the attempt that failed and begin the next one; False, and nothing changed, if somebody else owns it now."""
    former = generation.attempt
    try:
        with transaction.atomic():
            won = generation.begin_next_attempt()
            if won:
                outcome.attempt = former
                account(generation, outcome, "", "")
    except Error:
        generation.attempt = former  # nothing was written, and this is tried again
        raise
    finally:
        outcome.attempt = None
    return won

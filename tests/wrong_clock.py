"""The site in a process whose clock is wrong by CLOCK_OFFSET seconds: the clock is one of the two edges that tests may fake."""

import os
from datetime import datetime, timedelta

from django.utils import timezone

right = timezone.now


def now() -> datetime:
    return right() + timedelta(seconds=float(os.environ["CLOCK_OFFSET"]))


if __name__ == "__main__":
    timezone.now = now
    from chatsite.__main__ import main

    main()

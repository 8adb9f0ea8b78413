"""What goes into the log."""

import copy
import logging
import time

from django.db import InterfaceError, OperationalError

QUIET_SECONDS = 60.0  # after which the same error of the database is told whole again


class Refusals(logging.Filter):
    """Makes a refused request one line: too large, too many fields, a host that is not ours. Nothing broke, so no traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security."):
            record.exc_info = None
        return True


class Outages(logging.Filter):
    """Makes an error of the database one line where the same was told whole a moment ago: one that is away fails everything.

    What the pool of connections says of each of its tries is told once.
    """

    def __init__(self) -> None:
        super().__init__()
        self._heard: dict[str, float] = {}  # when each was told last

    def filter(self, record: logging.LogRecord) -> logging.LogRecord | bool:
        if record.name == "psycopg.pool":
            return not self._has_heard(record.getMessage())
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, OperationalError | InterfaceError):
            return True
        words = str(error).strip().partition("\n")[0]
        return in_one_line(record, words) if self._has_heard(words) else True

    def _has_heard(self, words: str) -> bool:
        now = time.monotonic()
        self._heard = {told: at for told, at in self._heard.items() if now - at < QUIET_SECONDS}
        was_heard, self._heard[words] = words in self._heard, now
        return was_heard


def in_one_line(record: logging.LogRecord, words: str) -> logging.LogRecord:
    line = copy.copy(record)
    line.msg, line.args, line.exc_info, line.exc_text = f"{record.getMessage()} {words}", (), None, None
    return line

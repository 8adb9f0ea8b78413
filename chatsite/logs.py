"""What goes into the log."""

import logging


class Refusals(logging.Filter):
    """Makes a refused request one line: too large, too many fields, a host that is not ours. Nothing broke, so no traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security."):
            record.exc_info = None
        return True

"""What one person sees of one answer: which tokens have come, how late each was, and whether all came in order.

Looks at bytes only and parses no HTML. A page's frames bring the open block again and again: a token counts at first sight.
"""

import re
from array import array

TOKEN = re.compile(rb"t(\d+):(\d+)[^\d]")  # as bench/fake_provider.py writes it, and what shows that it has ended
LONGEST = 40  # bytes of a token, with room to spare


class Reading:
    def __init__(self) -> None:
        self.seen = 0
        self.first_at = 0  # microseconds of CLOCK_MONOTONIC, which all processes of a machine share
        self.delays = array("q")  # microseconds from the provider's stamp to first sight
        self.is_in_order = True
        self._rest = b""

    def take(self, read: bytes, now: int) -> None:
        """Note the tokens in the next bytes; a token cut in two between reads waits for its other half."""
        data = self._rest + read
        start = data.find(b"t%d:" % self.seen)
        if start >= 0:
            for match in TOKEN.finditer(data, start):
                self._note(int(match[1]), int(match[2]), now)
        self._rest = data[-LONGEST:]

    def _note(self, index: int, stamp: int, now: int) -> None:
        if index == self.seen:
            self.first_at = self.first_at or now
            self.delays.append(now - stamp)
            self.seen += 1
        elif index > self.seen:
            self.is_in_order = False

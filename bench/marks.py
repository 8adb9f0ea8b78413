"""When the streams of the fake provider began and were closed by their client, for whoever asks: before it happens, too."""

import time
from collections import defaultdict
from collections.abc import Callable

KEPT = 10_000  # marks; the oldest are forgotten

type Tell = Callable[[int], None]


class Marks:
    """A mark is called "17/begun" or "17/closed"; its moment is in microseconds of the monotonic clock."""

    def __init__(self) -> None:
        self._moments: dict[str, int] = {}
        self._waiting: defaultdict[str, list[Tell]] = defaultdict(list)

    def note(self, name: str) -> None:
        self._moments[name] = moment = time.monotonic_ns() // 1000
        if len(self._moments) > KEPT:
            del self._moments[next(iter(self._moments))]
        for tell in self._waiting.pop(name, []):
            tell(moment)

    def when(self, name: str, tell: Tell) -> None:
        """Tell the moment of a mark: at once if it is past, else when it comes."""
        if (moment := self._moments.get(name)) is not None:
            tell(moment)
        else:
            self._waiting[name].append(tell)

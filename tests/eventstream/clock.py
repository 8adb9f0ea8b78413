"""A clock that tests can put forward, so that nobody waits for a time-out."""

import asyncio


class Clock:
    """The running event loop's own clock, with `pass_seconds`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._real, self._ahead = self._loop.time, 0.0
        self._loop.time = self.time  # type: ignore[method-assign]

    def time(self) -> float:
        return self._real() + self._ahead

    async def pass_seconds(self, seconds: float) -> None:
        """Put the clock forward and let what is due now happen."""
        self._ahead += seconds
        for _ in range(5):
            await asyncio.sleep(0)

"""The sweep: what nobody needs any more goes, in every process: temporary conversations soon after they were closed, forgotten holds.

Calls whose process died are accounted for.
"""

import asyncio
import logging
from collections.abc import Callable

from chatsite import threads
from conversations.models.holds import release_forgotten
from conversations.models.trash import sweep_temporary

from .orders import settle_lost

log = logging.getLogger(__name__)

SWEEP_SECONDS = 60.0


def sweep() -> list[int]:
    """Sweep once; return the generations that were asked to stop."""
    settle_lost()
    release_forgotten()
    return sweep_temporary()


sweep_in_thread = threads.in_thread(threads.generation, sweep)


async def keep_swept(notify: Callable[[int], None]) -> None:
    """Sweep until cancelled; `notify` is called with each generation that was asked to stop."""
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        try:
            for generation_id in await sweep_in_thread():
                notify(generation_id)
        except Exception:  # the next round tries again
            log.exception("What nobody needs any more could not be swept.")

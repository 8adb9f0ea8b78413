"""The sweep: temporary conversations that nobody has open go for good, in every process, soon after they were closed."""

import asyncio
import logging
from collections.abc import Callable

from chatsite import threads
from conversations.models.trash import sweep_temporary

log = logging.getLogger(__name__)

SWEEP_SECONDS = 60.0
sweep_in_thread = threads.in_thread(threads.generation, sweep_temporary)


async def keep_swept(notify: Callable[[int], None]) -> None:
    """Sweep until cancelled; `notify` is called with each generation that was asked to stop."""
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        try:
            for generation_id in await sweep_in_thread():
                notify(generation_id)
        except Exception:  # the next round tries again
            log.exception("Temporary conversations could not be swept.")

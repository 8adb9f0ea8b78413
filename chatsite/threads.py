"""The threads that run blocking code beside the event loop. An open stream holds none of them.

Each thread keeps one database connection; `close_old_connections` before and after each job replaces one that broke
or grew too old, as Django does around a request.
"""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections

web = ThreadPoolExecutor(settings.WEB_THREADS, "web")
generation = ThreadPoolExecutor(1, "generation")
journal = ThreadPoolExecutor(1, "journal")
tools = ThreadPoolExecutor(2, "tools")  # a tool that hangs holds up no more than other tools
transfer = ThreadPoolExecutor(1, "transfer")  # exports, which may take minutes


def in_thread[**P, R](pool: ThreadPoolExecutor, function: Callable[P, R]) -> Callable[P, Awaitable[R]]:
    """Return an awaitable twin of `function` that runs in `pool`."""

    def job(*args: P.args, **kwargs: P.kwargs) -> R:
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    return sync_to_async(job, thread_sensitive=False, executor=pool)

"""Tools that misbehave, and settings under which they can be called."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.test import override_settings

from conversations.tools.base import Caller, ToolError
from conversations.tools.registry import tools

ENOUGH = threading.Event()  # a sync tool that hangs does so until a test has seen enough

HOSTILE = (
    "</pre><script>alert(1)</script><img src=https://evil.example/x.png>\n\n![i](https://evil.example/y.png) [l](javascript:alert(2))\0"
)


class Meeting:
    """How many have come."""

    come = 0


async def meets() -> str:
    """Ends once two of it run."""
    Meeting.come += 1
    while Meeting.come < 2:
        await asyncio.sleep(0.01)
    return "met"


async def hangs() -> str:
    """Never ends."""
    await asyncio.Event().wait()
    return ""


def blocks() -> str:
    """Blocks its thread."""
    ENOUGH.wait(60)
    return ""


def breaks() -> str:
    """Has a bug."""
    raise RuntimeError("secret detail")


def refuses() -> str:
    """Says what is wrong."""
    raise ToolError("There is no such city.")


def floods() -> str:
    """Returns 50 MB."""
    return "x" * 50_000_000


def attacks() -> str:
    """Returns what would load an image."""
    return HOSTILE


def repeats(words: str, times: int = 1) -> list[str]:
    """Repeats words."""
    return [words] * times


def who(caller: Caller) -> str:
    """Tells for whom it is called."""
    return f"{caller.user_id} {caller.conversation_id}"


SAMPLES = {function.__name__: function for function in (meets, hangs, blocks, breaks, refuses, floods, attacks, repeats, who)}


@contextmanager
def these_tools(**options: dict[str, Any]) -> Iterator[None]:
    """The tools of this module, each with options of its own, beside those of the site."""
    from django.conf import settings

    added = {name: {"TOOL": f"{__name__}.{name}"} | options.get(name, {}) for name in SAMPLES}
    site = {name: each | options.get(name, {}) for name, each in settings.TOOLS.items()}
    try:
        with override_settings(TOOLS=site | added):
            tools.cache_clear()
            yield
    finally:
        ENOUGH.set()
        Meeting.come = 0
        tools.cache_clear()
        ENOUGH.clear()

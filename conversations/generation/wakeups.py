"""Wake-ups: what processes tell each other over the channel layer, so that nobody has to wait for a timer.

They carry numbers, never text: what has happened stands in the database. Telling never waits and never fails,
and a wake-up that is lost costs a delay, because everything is also looked for by the clock.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from enum import StrEnum
from itertools import batched
from secrets import token_hex
from typing import Annotated, Any

import msgspec
from channels.layers import get_channel_layer

from chatsite import layer

from .changes import Change

log = logging.getLogger(__name__)

GROUP = "generations"
NUMBERS, CHANGES = 400, 100  # in one wake-up: what the smallest layer carries
SEND_SECONDS = 2.0  # for one wake-up, before it is given up
PAUSE_SECONDS = 1.0  # after a layer has failed


class What(StrEnum):
    """What a wake-up is about."""

    LOOK = "look"  # these are queued, or asked to stop: whoever can is to do it
    NEWS = "news"  # the journal or the status of these has changed: whoever shows them is to read it
    CHANGES = "changes"  # of conversations (changes.py): whoever has a page of their owner open is to tell it


type Key = Annotated[int, msgspec.Meta(gt=0, le=2**63 - 1)]
ABOUT: dict[What, Any] = {What.LOOK: list[Key], What.NEWS: list[Key], What.CHANGES: list[Change]}


class WakeUp(msgspec.Struct):
    """What is read of a message; whoever may use the layer may have sent it."""

    what: What
    about: list[Any]
    sender: str = msgspec.field(name="from")


class WakeUps:
    """The ear and the mouth of one process. `hear` is called with what other processes tell."""

    def __init__(self, hear: Callable[[What, list[Any]], None]) -> None:
        self._hear = hear
        self._layer: Any = get_channel_layer()
        self._name, self._is_alone = token_hex(8), layer.is_in_memory()
        self._untold: defaultdict[What, set[Any]] = defaultdict(set)
        self._something = asyncio.Event()

    def tell(self, what: What, about: Iterable[int] | Iterable[Change]) -> None:
        """Tell the other processes soon; what is said until then goes along."""
        if not self._is_alone:
            self._untold[what].update(about)
            self._something.set()

    async def speak(self) -> None:
        """Send what is to be told, until cancelled."""
        while True:
            await self._something.wait()
            self._something.clear()
            await self._say_untold()

    async def close(self) -> None:
        """Send what is still untold, and let go of the layer."""
        await self._say_untold()
        if close := getattr(self._layer, "close", None):
            await close()

    async def listen(self) -> None:
        """Pass on what others tell, until cancelled; a layer that breaks is tried again."""
        while not self._is_alone:
            try:
                await self._listen()
            except Exception as error:  # whatever the layer raises
                log.warning("Wake-ups cannot be heard for a while: %s", error)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _listen(self) -> None:
        channel = await self._layer.new_channel()
        await self._layer.group_add(GROUP, channel)
        while True:
            try:
                self._pass_on(await self._layer.receive(channel))
            except ValueError as error:  # of the layer, where it cannot decode; of msgspec, where it is no wake-up
                log.warning("A wake-up that makes no sense was dropped: %s", error)

    def _pass_on(self, message: Any) -> None:
        wakeup = msgspec.convert(message, WakeUp)
        if wakeup.sender != self._name:
            self._hear(wakeup.what, msgspec.convert(wakeup.about, ABOUT[wakeup.what]))

    async def _say_untold(self) -> None:
        untold, self._untold = self._untold, defaultdict(set)
        for what, things in untold.items():
            for about in batched(sorted(things), CHANGES if what is What.CHANGES else NUMBERS):
                await self._send({"type": "wake.up", "from": self._name, "what": what.value, "about": list(about)})

    async def _send(self, message: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._layer.group_send(GROUP, message)
        except Exception as error:  # whatever the layer raises
            log.warning("A wake-up was lost: %s", str(error) or type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS)

"""One adapter for each wire protocol, found by the protocol's name; one adapter instance for each endpoint of an event loop."""

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

from .base import Adapter, Endpoint
from .echo import EchoAdapter
from .openai_chat import OpenAIChatAdapter

ADAPTERS: dict[str, Callable[[Endpoint], Adapter]] = {
    "openai_chat": OpenAIChatAdapter,
    "echo": EchoAdapter,
}

# By loop, because kept connections belong to the loop that opened them and break on any other.
_kept: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Endpoint, Adapter]] = WeakKeyDictionary()


def adapter_for(endpoint: Endpoint) -> Adapter:
    """Return the adapter of `endpoint` on the running event loop, with the connections it keeps open.

    Raises KeyError for a protocol nobody here speaks.
    """
    adapters = _kept.setdefault(asyncio.get_running_loop(), {})
    if endpoint not in adapters:
        adapters[endpoint] = ADAPTERS[endpoint.protocol](endpoint)
    return adapters[endpoint]


async def close_adapters() -> None:
    """Close every connection kept on the running event loop; for the end of the process, once its answers have ended."""
    adapters = _kept.pop(asyncio.get_running_loop(), {})
    for adapter in adapters.values():
        await adapter.aclose()

"""One adapter for each wire protocol, found by the protocol's name; one adapter instance for each endpoint of an event loop."""

import asyncio
from collections.abc import Callable
from importlib import import_module
from weakref import WeakKeyDictionary

from .base import Adapter, Endpoint

# Imported when first used: the SDK takes half a second and 25 MB, and not every process talks to a provider.
ADAPTERS = {
    "openai_chat": ("openai_chat", "OpenAIChatAdapter"),
    "openai_responses": ("openai_responses", "OpenAIResponsesAdapter"),
    "anthropic": ("anthropic", "AnthropicAdapter"),
    "echo": ("echo", "EchoAdapter"),
}

# By loop, because kept connections belong to the loop that opened them and break on any other.
_kept: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Endpoint, Adapter]] = WeakKeyDictionary()


def adapter_for(endpoint: Endpoint) -> Adapter:
    """Return the adapter of `endpoint` on the running event loop, with the connections it keeps open.

    Raises KeyError for a protocol nobody here speaks.
    """
    adapters = _kept.setdefault(asyncio.get_running_loop(), {})
    if endpoint not in adapters:
        adapters[endpoint] = new_adapter(endpoint)
    return adapters[endpoint]


def new_adapter(endpoint: Endpoint) -> Adapter:
    """Return an adapter of the caller's own, for another event loop than the one that answers people."""
    return adapter_class(endpoint.protocol)(endpoint)


def adapter_class(protocol: str) -> Callable[[Endpoint], Adapter]:
    module, name = ADAPTERS[protocol]
    found: Callable[[Endpoint], Adapter] = getattr(import_module(f"conversations.providers.{module}"), name)
    return found


def import_adapters() -> None:
    """Import every adapter, so that no answer has to wait for it."""
    for protocol in ADAPTERS:
        adapter_class(protocol)


async def close_adapters() -> None:
    """Close every connection kept on the running event loop; for the end of the process, once its answers have ended."""
    adapters = _kept.pop(asyncio.get_running_loop(), {})
    for adapter in adapters.values():
        await adapter.aclose()

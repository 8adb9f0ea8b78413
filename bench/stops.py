"""How long a stop takes: from the POST until a silent provider sees its connection closed."""

import asyncio
from functools import partial

from .latency import Latency, tried
from .node import Node, Provider, asked, reached
from .person import microseconds
from .servers import Server

SILENT = "fake:silent=1"
SETTLE_SECONDS = 0.2  # for the site to wait for the first token; a stop before that has another way to go
AIM_MS = 250


def measure(servers: list[Server], provider_url: str, tries: int) -> list[Latency]:
    """The first of the servers runs the answers; the stop is asked there, then at the other one, if there is one."""
    return asyncio.run(_measure(servers, provider_url, tries))


async def _measure(servers: list[Server], provider_url: str, tries: int) -> list[Latency]:
    async with reached(*servers) as nodes, asked(provider_url) as provider:
        return [
            await tried("stop, ms", at, tries, partial(stop_once, nodes[0], node, provider), AIM_MS)
            for at, node in zip(("owner", "another process"), nodes, strict=False)
        ]


async def stop_once(owner: Node, at: Node, provider: Provider) -> float:
    """Return milliseconds."""
    number = await provider.started() + 1
    answer = await owner.ask(SILENT)
    await provider.moment(number, "begun")
    await asyncio.sleep(SETTLE_SECONDS)
    began = microseconds()
    await at.stop(answer)
    return (await provider.moment(number, "closed") - began) / 1000

"""How long an answer is without an owner: from kill -9 of the process that writes it until a page that another one serves is told."""

import asyncio
import os
import signal
from contextlib import aclosing

from .latency import Latency
from .node import reached
from .person import microseconds
from .resumes import LONG
from .servers import Server
from .site import Site

AIM_MS = 15_000
HEARTBEAT_TOKENS = 90  # those of one heartbeat of the owner: the tries fall on all moments between two
END = b"event: done"


def measure(site: Site, tries: int) -> Latency:
    """Each try has two processes of its own."""
    latency = Latency("recovery after kill -9, ms", "another process", aim=AIM_MS)
    for number in range(tries):
        with latency.trying():
            latency.values.append(recover_once(site, HEARTBEAT_TOKENS * number // tries))
    return latency


def recover_once(site: Site, token: int) -> float:
    with site.run(WEB_PROCESSES="1") as owner, site.run(WEB_PROCESSES="1") as other:
        return asyncio.run(kill_in_mid_answer(owner, other, token))


async def kill_in_mid_answer(owner: Server, other: Server, token: int) -> float:
    """Kill when the page shows that token; return milliseconds from then to the end that the page is told."""
    async with reached(owner, other) as nodes:
        answer = await nodes[0].ask(LONG)
        killed_at, seen = 0, b""
        async with aclosing(nodes[1].follow(answer)) as stream:
            async for moment, piece in stream:
                seen += piece
                if not killed_at and b"t%d:" % token in seen:
                    os.kill(owner.pid, signal.SIGKILL)
                    killed_at = microseconds()
                if killed_at and END in seen:
                    return (moment - killed_at) / 1000
        raise RuntimeError("the stream ended before it said how")

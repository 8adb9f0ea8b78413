"""`python -m bench.soak --minutes N`: people use the site for so long; fails where anything it holds grows.

Compares the medians of the second and the last quarter of the time; bench/samples.py says what is looked at, and how much may be more.
"""

import argparse
import asyncio
import signal
import sys
from collections import Counter
from contextlib import ExitStack
from random import Random

from . import samples, visitors
from .node import Node
from .person import Person, web
from .servers import Server, run_provider
from .site import Site, prepared_site
from .stage import possible
from .visitors import Visitor

SAMPLES = 240  # in the whole time, but no more than one a second
REST_SECONDS = 120  # for the answers that nobody reads any more


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--server", choices=("site", "postgresql", "redis"), default="site")
    return parser.parse_args()


async def soak(site: Site, server: Server, minutes: float) -> tuple[list[samples.Sample], list[Visitor]]:
    """Let everybody stay for so long; return what the site held meanwhile, and the visitors."""
    is_over = asyncio.Event()
    async with web(server.base_url) as http:
        people = [Person(number, session) for number, session in enumerate(server.sessions)]
        everybody = [Visitor(Node(server, http, person), Random(person.number)) for person in people]
        for visitor in everybody:
            await visitor.arrive()
        async with asyncio.TaskGroup() as tasks:
            for visitor in everybody:
                tasks.create_task(visitor.stay(is_over))
            taken = await watch(site, server, minutes * 60)
            is_over.set()
    return taken, everybody


async def watch(site: Site, server: Server, seconds: float) -> list[samples.Sample]:
    loop, taken = asyncio.get_running_loop(), []
    end = loop.time() + seconds
    while loop.time() < end:
        taken.append(samples.sample(site, server.pid))
        await asyncio.sleep(max(1, seconds / SAMPLES))
    return taken


async def left_behind(site: Site) -> dict[str, int]:
    """Wait until nothing is written any more; return what is left of it all the same."""
    deadline = asyncio.get_running_loop().time() + REST_SECONDS
    while True:
        left = {"live answers": samples.count(site, samples.LIVE), "journal rows": samples.count(site, samples.JOURNAL)}
        if not any(left.values()) or asyncio.get_running_loop().time() > deadline:
            return left
        await asyncio.sleep(0.5)


def say(found: list[samples.Comparison], everybody: list[Visitor], left: dict[str, int]) -> bool:
    """Print what was seen; return whether all is well."""
    failures = [failure for visitor in everybody for failure in visitor.failures]
    visits = sum((visitor.visits for visitor in everybody), Counter[str]())
    print(samples.table(found), flush=True)
    print(f"\n{len(everybody)} people, {visits.total()} visits:", ", ".join(f"{name} {count}" for name, count in visits.most_common()))
    print(f"{len(failures)} failed.", *failures[:5], sep="\n  ")
    print("At rest:", ", ".join(f"{count} {what}" for what, count in left.items()) + ".")
    print("Asyncio tasks cannot be counted from outside: one that never ends shows as memory, as a socket or as a live answer.")
    return not failures and not any(left.values()) and not any(each.grows for each in found)


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = arguments()
    if not possible([options.server]):
        return 1
    with ExitStack() as stack:
        order = {"provider": stack.enter_context(run_provider()), "models": visitors.MODELS, "people": options.people, "histories": {}}
        site = stack.enter_context(prepared_site(options.server, order))
        server = stack.enter_context(site.run(LOG_LEVEL="ERROR"))
        taken, everybody = asyncio.run(soak(site, server, options.minutes))
        left = asyncio.run(left_behind(site))
    return 0 if say(samples.comparisons(taken), everybody, left) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

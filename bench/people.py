"""The people: asks and reads for all of them in one process of its own, so that their cost is not the server's.

Takes an order as a line of JSON on standard input, says "ready" when everybody has the page, starts at the next line,
and prints what was seen as a line of JSON. Stays until its input closes, so that what it cost can still be read.
"""

import asyncio
import gc
import json
import sys
from array import array
from itertools import repeat
from typing import Any

import aiohttp

from .percentiles import percentiles
from .person import Person, ask_bare, ask_site, microseconds, open_page, web


async def ask(http: aiohttp.ClientSession, person: Person, order: dict[str, Any], pause: float) -> None:
    """Press Enter after the pause and read to the end; what goes wrong is counted, and stops nobody else."""
    await asyncio.sleep(pause)
    person.asked_at = microseconds()
    try:
        async with asyncio.timeout(order["time_limit"]):
            await (ask_site if person.session else ask_bare)(http, person, order)
    except (TimeoutError, RuntimeError, aiohttp.ClientError) as error:
        person.error = f"{type(error).__name__}: {error}"
        return
    person.judge(order["tokens"])


def result_of(people: list[Person], order: dict[str, Any]) -> dict[str, Any]:
    """Return what the people saw. A token that several pages of a person show is one token, and a delay for each page."""
    wait = int(order["ttft"] * 1_000_000)
    delays = array("q")
    for person in people:
        delays.extend(person.delays)
    return {
        "tokens": sum(person.readings[0].seen for person in people),
        "failures": [person.error for person in people if person.error],
        "added_ttft_ms": percentiles(person.first_at - person.asked_at - wait for person in people if person.first_at),
        "added_delay_ms": percentiles(delays),
        "seconds": (microseconds() - min(person.asked_at for person in people)) / 1_000_000,
    }


async def main() -> None:
    order = json.loads(sys.stdin.readline())
    conversations = order["conversations"] or repeat(None)
    people = [
        Person(number, session, conversation, order["viewers"])
        for number, (session, conversation) in enumerate(zip(order["sessions"], conversations, strict=False))
    ]
    async with web(order["base_url"]) as http:
        for person in people:
            if person.session:
                await open_page(http, person)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        gc.disable()
        pause = order["spread"] / max(1, len(people) - 1)
        await asyncio.gather(*(ask(http, person, order, person.number * pause) for person in people))
    print(json.dumps(result_of(people, order)), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    asyncio.run(main())

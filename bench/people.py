"""The people: asks and reads for all of them in one process of its own, so that their cost is not the server's.

Takes an order as a line of JSON on standard input, says "ready" when everybody has the page, starts at the next line,
and prints what was seen as a line of JSON. Stays until its input closes, so that what it cost can still be read.
"""

import asyncio
import gc
import json
import sys
import time
import uuid
from array import array
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bench.reading import Reading

PROMPTS = (
    "Can you explain how HTTP caching works, and when I should use ETags instead of max-age?",
    "I have a list of orders with a date and an amount. Write a SQL query that gives the running total per month.",
    "My sourdough is too dense. I use 70 % hydration and proof for four hours at 21 degrees. What should I change?",
    "Summarise the difference between optimistic and pessimistic locking for a colleague who knows Python but no databases.",
    "Plan three days in Lisbon with two children, without a car. We like trains, the sea and old libraries.",
    "Why does `async for` over a queue never end in my code, and what is the usual way to say that there is no more?",
    "Draft a friendly answer to a customer whose parcel is a week late. We do not know yet where it is.",
    "What are good questions for a first talk with a landlord? Give me a short list and say why each matters.",
)


@dataclass(slots=True)
class Person:
    """Somebody with a browser: the session key is "" on the sketch, which knows nobody."""

    number: int
    session: str
    token: str = ""
    asked_at: int = 0
    error: str = ""
    reading: Reading = field(default_factory=Reading)

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": f"sessionid={self.session}; csrftoken={self.token}"} if self.session else {}

    @property
    def prompt(self) -> str:
        return PROMPTS[self.number % len(PROMPTS)]


def microseconds() -> int:
    return time.monotonic_ns() // 1000


async def open_page(http: aiohttp.ClientSession, person: Person) -> None:
    """Load the start page once, as everybody does before writing, and keep its CSRF token."""
    async with http.get("/", headers=person.headers) as response:
        await response.read()
        if response.status != 200 or response.history:
            raise SystemExit(f"The start page answers {response.status} at {response.url}.")
        person.token = response.cookies["csrftoken"].value


async def ask_site(http: aiohttp.ClientSession, person: Person, order: dict[str, Any]) -> None:
    """Send the prompt, then follow the answer as a page does: as HTML fragments, or as JSON where the order says so."""
    fields = {"prompt": person.prompt, "model": order["model"], "request_key": str(uuid.uuid4()), "csrfmiddlewaretoken": person.token}
    async with http.post("/conversations", data=fields, headers=person.headers | {"Accept": "application/json"}) as response:
        if response.status != 201:
            raise RuntimeError(f"POST answers {response.status}")
        events_url = (await response.json())["events_url"]
    if order["format"] == "html":
        events_url = events_url.partition("?")[0]
    async with http.get(events_url, headers=person.headers | {"Accept": "text/html,text/event-stream"}) as response:
        await read(response, person.reading)


async def ask_sketch(http: aiohttp.ClientSession, person: Person, order: dict[str, Any]) -> None:
    async with http.post("/chat", json={"model": order["model"], "prompt": person.prompt}) as response:
        await read(response, person.reading)


async def read(response: aiohttp.ClientResponse, reading: Reading) -> None:
    if response.status != 200:
        raise RuntimeError(f"the stream answers {response.status}")
    async for piece in response.content.iter_any():
        reading.take(piece, microseconds())
    reading.take(b"\n", microseconds())


async def ask(http: aiohttp.ClientSession, person: Person, order: dict[str, Any], pause: float) -> None:
    """Press Enter after the pause and read to the end; what goes wrong is counted, and stops nobody else."""
    await asyncio.sleep(pause)
    person.asked_at = microseconds()
    try:
        async with asyncio.timeout(order["time_limit"]):
            await (ask_site if person.session else ask_sketch)(http, person, order)
    except (TimeoutError, RuntimeError, aiohttp.ClientError) as error:
        person.error = f"{type(error).__name__}: {error}"
        return
    if not person.reading.is_in_order or person.reading.seen != order["tokens"]:
        person.error = f"saw {person.reading.seen} of {order['tokens']} tokens, in order: {person.reading.is_in_order}"


def percentile(values: list[int], share: float) -> float:
    """Return the nearest-rank percentile of sorted microseconds, in milliseconds."""
    return values[min(len(values) - 1, int(share * len(values)))] / 1000 if values else 0.0


def result_of(people: list[Person], order: dict[str, Any]) -> dict[str, Any]:
    wait = int(order["ttft"] * 1_000_000)
    delays, firsts = array("q"), []
    for person in people:
        delays.extend(person.reading.delays)
        if person.reading.first_at:
            firsts.append(person.reading.first_at - person.asked_at - wait)
    late, first = sorted(delays), sorted(firsts)
    return {
        "tokens": sum(person.reading.seen for person in people),
        "failures": [person.error for person in people if person.error],
        "added_ttft_ms": {"p50": percentile(first, 0.5), "p95": percentile(first, 0.95), "max": percentile(first, 1)},
        "added_delay_ms": {"p50": percentile(late, 0.5), "p95": percentile(late, 0.95), "max": percentile(late, 1)},
        "seconds": (microseconds() - min(person.asked_at for person in people)) / 1_000_000,
    }


async def main() -> None:
    order = json.loads(sys.stdin.readline())
    people = [Person(number, session) for number, session in enumerate(order["sessions"])]
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(order["base_url"], connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http:
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

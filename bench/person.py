"""What one person does with a server: opens a page, presses Enter, and follows the answer on one page or several."""

import asyncio
import time
import uuid
from array import array
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from .reading import Reading

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
    """Somebody with a browser: the session key is "" on the sketch and at the limit, which know nobody."""

    number: int
    session: str
    conversation: int | None = None  # that the prompt goes into; a new one where there is none
    viewers: int = 1
    token: str = ""
    asked_at: int = 0
    error: str = ""
    readings: list[Reading] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.readings = [Reading() for _ in range(self.viewers)]

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": f"sessionid={self.session}; csrftoken={self.token}"} if self.session else {}

    @property
    def prompt(self) -> str:
        return PROMPTS[self.number % len(PROMPTS)]

    @property
    def page(self) -> str:
        return f"/conversations/{self.conversation}" if self.conversation else "/"

    @property
    def first_at(self) -> int:
        return self.readings[0].first_at

    @property
    def delays(self) -> array[int]:
        """Of all pages."""
        return sum((reading.delays for reading in self.readings), array("q"))

    def judge(self, tokens: int) -> None:
        """Note an error unless each page has shown all of so many tokens, in order."""
        for reading in self.readings:
            if not reading.is_in_order or reading.seen != tokens:
                self.error = f"saw {reading.seen} of {tokens} tokens, in order: {reading.is_in_order}"


def microseconds() -> int:
    return time.monotonic_ns() // 1000


def web(base_url: str) -> aiohttp.ClientSession:
    """A client whose connections are many, and which keeps no cookies: those are the persons'."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
    timeout = aiohttp.ClientTimeout(total=None)
    return aiohttp.ClientSession(base_url, connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())


async def open_page(http: aiohttp.ClientSession, person: Person) -> None:
    """Load the page the prompt is written on, as everybody does before writing, and keep its CSRF token. Raises RuntimeError."""
    async with http.get(person.page, headers=person.headers) as response:
        await response.read()
        if response.status != 200 or response.history:
            raise RuntimeError(f"{person.page} answers {response.status} at {response.url}.")
        person.token = response.cookies["csrftoken"].value


async def post(http: aiohttp.ClientSession, person: Person, path: str, **fields: Any) -> Any:
    """Send a form as a program does and return the JSON of the reply, None where it has none. Raises RuntimeError."""
    form = {"csrfmiddlewaretoken": person.token, **fields}
    async with http.post(path, data=form, headers=person.headers | {"Accept": "application/json"}) as response:
        if response.status not in (201, 204):
            raise RuntimeError(f"POST {path} answers {response.status}")
        return await response.json() if response.status == 201 else None


async def send(http: aiohttp.ClientSession, person: Person, model: int) -> dict[str, Any]:
    """Press Enter; return what a program is told of the turn it began."""
    path = f"/conversations/{person.conversation}/messages" if person.conversation else "/conversations"
    told: dict[str, Any] = await post(http, person, path, prompt=person.prompt, model=model, request_key=str(uuid.uuid4()))
    return told


async def ask_site(http: aiohttp.ClientSession, person: Person, order: dict[str, Any]) -> None:
    """Send the prompt, then follow the answer as a page does: as HTML fragments, or as JSON where the order says so."""
    told = await send(http, person, order["model"])
    url = f"/messages/{told['answer']}/events" if order["format"] == "html" else told["events_url"]
    await asyncio.gather(*(follow(http, person, url, reading) for reading in person.readings))


async def follow(http: aiohttp.ClientSession, person: Person, url: str, reading: Reading) -> None:
    async with http.get(url, headers=person.headers | {"Accept": "text/html,text/event-stream"}) as response:
        await read(response, reading)


async def ask_bare(http: aiohttp.ClientSession, person: Person, order: dict[str, Any]) -> None:
    """Ask the sketch, or the limit: the answer is the body of the reply."""
    async with http.post("/chat", json={"model": order["model"], "prompt": person.prompt}) as response:
        await read(response, person.readings[0])


async def read(response: aiohttp.ClientResponse, reading: Reading) -> None:
    if response.status != 200:
        raise RuntimeError(f"the stream answers {response.status}")
    async for piece in response.content.iter_any():
        reading.take(piece, microseconds())
    reading.take(b"\n", microseconds())

"""A very cheap server that speaks streamed chat completions, for load tests; one clock tick writes all tokens that are due.

    python bench/fake_provider.py --port 9101

Each request says in its model id what it wants: "fake:rate=30,tokens=300,ttft=0.2". All that may be said:

    rate=30 tokens=300 ttft=0.2    tokens a second, how many, seconds before the first
    paragraph=60                   tokens in a paragraph
    plain=1                        five letters a token, in place of a stamp
    usage=0  done=0                no usage chunk, no [DONE]
    silent=1  stall=50             never a token; none after the 50th
    cut=50                         the connection is cut after 50 tokens
    error=429 retry=2              an HTTP error, with Retry-After
    html=1                         an HTML page with status 200

A token is "t<index>:<microseconds> ", microseconds of this machine's monotonic clock when it was written: a client on the
same machine subtracts it from its own `time.monotonic_ns() // 1000`. Markdown leaves it as it is. GET /stats counts streams.
"""

import argparse
import asyncio
import heapq
import itertools
import json
import sys
import time
from dataclasses import dataclass, field, fields
from typing import Self

TICK = 0.002  # seconds; what falls due within one is written together, so idle wake-ups cost little
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nx-request-id: fake-%d\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = '{"id":"fake","object":"chat.completion.chunk","created":1,"model":"fake","choices":[{"index":0,"delta":%s,"finish_reason":%s}]}'
BEFORE, AFTER = (part.encode() for part in (CHUNK % ('{"content":"@"}', "null")).split("@"))
LAST_BYTES = b"0\r\n\r\n"
WORDS = [f"{word} ".encode() for word in ("wind", "salt", "pier", "gull", "tide", "sand", "dune", "foam", "rope", "mast")]


@dataclass(slots=True)
class Plan:
    """What one request asked for, by its model id."""

    rate: float = 30
    tokens: int = 300
    ttft: float = 0.2
    paragraph: int = 60
    plain: int = 0
    usage: int = 1
    done: int = 1
    silent: int = 0
    stall: int = 0
    cut: int = 0
    error: int = 0
    retry: float = 0
    html: int = 0

    @classmethod
    def of(cls, model: str) -> Self:
        pairs = (pair.partition("=") for pair in model.partition(":")[2].split(",") if "=" in pair)
        plan = cls()
        for name, _, value in pairs:
            if name in cls.__slots__:
                setattr(plan, name, type(getattr(plan, name))(float(value)))
        return plan


@dataclass(slots=True)
class Stats:
    started: int = 0
    finished: int = 0
    disconnected: int = 0
    tokens: int = 0
    latest_tick: float = 0  # seconds that the clock was late at worst: above a few ms this machine is too busy to measure

    def as_json(self) -> bytes:
        counts = {each.name: getattr(self, each.name) for each in fields(self)}
        return json.dumps(counts | {"open": self.started - self.finished - self.disconnected}).encode()


@dataclass(order=True, slots=True)
class Answer:
    """One stream that is under way, ordered by when its next token is due."""

    due: float
    number: int
    plan: Plan = field(compare=False)
    transport: asyncio.Transport = field(compare=False)
    told: int = field(default=0, compare=False)
    is_open: bool = field(default=True, compare=False)

    def tell(self, now: float) -> int:
        """Write the tokens that are due at `now`, each in its own chunk and write; return how many."""
        count = 0
        while self.due <= now and self.is_open and self.told < self.plan.tokens and not self._misbehaves():
            self.transport.write(chunk(BEFORE + self._token() + AFTER))
            self.told += 1
            count += 1
            self.due += 1 / self.plan.rate
        return count

    @property
    def is_stalled(self) -> bool:
        return bool(self.plan.silent) or (self.plan.stall > 0 and self.told >= self.plan.stall)

    def _misbehaves(self) -> bool:
        if self.plan.cut and self.told >= self.plan.cut:
            self.transport.abort()
            return True
        return self.is_stalled

    def _token(self) -> bytes:
        ends_paragraph = self.plan.paragraph and self.told % self.plan.paragraph == self.plan.paragraph - 1
        word = WORDS[self.told % len(WORDS)] if self.plan.plain else b"t%d:%d " % (self.told, time.monotonic_ns() // 1000)
        return word[:-1] + b"\\n\\n" if ends_paragraph else word

    def finish(self) -> None:
        body = chunk((CHUNK % ("{}", '"stop"')).encode())
        if self.plan.usage:
            usage = {"prompt_tokens": 10, "completion_tokens": self.told, "total_tokens": 10 + self.told}
            body += chunk(json.dumps({"id": "fake", "choices": [], "usage": usage}).encode())
        self.transport.write(body + (chunk(b"[DONE]") if self.plan.done else b"") + LAST_BYTES)


class Clock:
    """The one timer: wakes at the next tick on which any answer has a token due."""

    def __init__(self) -> None:
        self.stats, self.numbers = Stats(), itertools.count(1)
        self._answers: list[Answer] = []
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, plan: Plan, transport: asyncio.Transport) -> Answer:
        answer = Answer(now() + plan.ttft, next(self.numbers), plan, transport)
        transport.write(HEAD % answer.number + chunk((CHUNK % ('{"role":"assistant","content":""}', "null")).encode()))
        self.stats.started += 1
        heapq.heappush(self._answers, answer)
        self._set_timer()
        return answer

    def end(self, answer: Answer) -> None:
        """The client went away."""
        if answer.is_open:
            answer.is_open = False
            self.stats.disconnected += 1

    def _set_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None
        if self._answers:
            tick = max(self._answers[0].due, now() + TICK)
            self._timer = asyncio.get_running_loop().call_at(tick, self._tick, tick)

    def _tick(self, due: float) -> None:
        moment = now()
        self.stats.latest_tick = max(self.stats.latest_tick, moment - due)
        while self._answers and self._answers[0].due <= moment:
            answer = heapq.heappop(self._answers)
            self.stats.tokens += answer.tell(moment)
            self._put_back(answer)
        self._timer = None
        self._set_timer()

    def _put_back(self, answer: Answer) -> None:
        if not answer.is_open or answer.is_stalled:
            return
        if answer.told < answer.plan.tokens:
            heapq.heappush(self._answers, answer)
            return
        answer.is_open = False
        self.stats.finished += 1
        answer.finish()


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection, kept alive from request to request."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.received = clock, b""
        self.answer: Answer | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self.answer:
            self.clock.end(self.answer)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, separator, body = self.received.partition(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        if separator and len(body) >= length:
            self.received = body[length:]
            self.respond(head, body[:length])

    def respond(self, head: bytes, body: bytes) -> None:
        path = head.split(b" ", 2)[1]
        if path.endswith(b"/chat/completions"):
            self.respond_to_prompt(Plan.of(json.loads(body)["model"]))
        elif path.endswith(b"/models"):
            self.send(200, b'{"object":"list","data":[{"id":"fake:rate=30,tokens=300,ttft=0.2","object":"model"}]}')
        elif path.endswith(b"/stats"):
            self.send(200, self.clock.stats.as_json())
        else:
            self.send(404, b'{"error":{"message":"no such path"}}')

    def respond_to_prompt(self, plan: Plan) -> None:
        if plan.error:
            retry = f"Retry-After: {plan.retry:g}\r\n" if plan.retry else ""
            self.send(plan.error, b'{"error":{"message":"as you wished"}}', headers=retry)
        elif plan.html:
            self.send(200, b"<!doctype html><title>Sign in</title>", kind="text/html")
        else:
            self.answer = self.clock.begin(plan, self.transport)

    def send(self, status: int, body: bytes, *, kind: str = "application/json", headers: str = "") -> None:
        head = f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


def chunk(data: bytes) -> bytes:
    """Frame one SSE event as one HTTP chunk."""
    return b"%x\r\ndata: %b\n\n\r\n" % (len(data) + 8, data)


def now() -> float:
    return asyncio.get_running_loop().time()


async def serve(host: str, port: int) -> None:
    clock = Clock()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(clock), host, port, backlog=2048)
    sys.stdout.write(f"fake provider on http://{host}:{server.sockets[0].getsockname()[1]}/v1\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description="A cheap stand-in for a provider.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one and prints it")
    options = parser.parse_args()
    try:
        asyncio.run(serve(options.host, options.port))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()

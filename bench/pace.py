"""The answers of the fake provider, written at their pace: one clock tick writes all tokens that are due."""

import asyncio
import heapq
import itertools
import json
import time
from dataclasses import dataclass, field, fields

from bench.marks import Marks
from bench.plan import Plan

TICK = 0.002  # seconds; what falls due within one is written together, so idle wake-ups cost little
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nx-request-id: fake-%d\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = '{"id":"fake","object":"chat.completion.chunk","created":1,"model":"fake","choices":[{"index":0,"delta":%s,"finish_reason":%s}]}'
BEFORE, AFTER = (part.encode() for part in (CHUNK % ('{"content":"@"}', "null")).split("@"))
LAST_BYTES = b"0\r\n\r\n"
WORDS = [f"{word} ".encode() for word in ("wind", "salt", "pier", "gull", "tide", "sand", "dune", "foam", "rope", "mast")]


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
        self.stats, self.marks, self.numbers = Stats(), Marks(), itertools.count(1)
        self._answers: list[Answer] = []
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, plan: Plan, transport: asyncio.Transport) -> Answer:
        answer = Answer(now() + plan.ttft, next(self.numbers), plan, transport)
        transport.write(HEAD % answer.number + chunk((CHUNK % ('{"role":"assistant","content":""}', "null")).encode()))
        self.stats.started += 1
        self.marks.note(f"{answer.number}/begun")
        heapq.heappush(self._answers, answer)
        self._set_timer()
        return answer

    def end(self, answer: Answer) -> None:
        """The client went away."""
        if answer.is_open:
            answer.is_open = False
            self.stats.disconnected += 1
            self.marks.note(f"{answer.number}/closed")

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
        if not answer.is_open or answer.is_stalled or answer.transport.is_closing():
            return
        if answer.told < answer.plan.tokens:
            heapq.heappush(self._answers, answer)
            return
        answer.is_open = False
        self.stats.finished += 1
        answer.finish()


def chunk(data: bytes) -> bytes:
    """Frame one SSE event as one HTTP chunk."""
    return b"%x\r\ndata: %b\n\n\r\n" % (len(data) + 8, data)


def now() -> float:
    return asyncio.get_running_loop().time()

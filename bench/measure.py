"""One measurement: some people ask one server, while its CPU time and memory are watched."""

import asyncio
import json
import os
import sys
import time
from dataclasses import asdict
from typing import Any, NamedTuple, Self

from .cases import TTFT, WARM_UP, Case
from .meter import cpu_seconds, machine_seconds, peak_bytes, resident_bytes
from .processes import ROOT
from .servers import Server

SETTLE_SECONDS = 0.3  # what a server still does after the last byte counts too
READY_SECONDS = 300  # for everybody to load a page
LINE_LIMIT = 1 << 20


async def measure(server: Server, case: Case, form: str = "html", *, warm_up: bool = True) -> dict[str, Any]:
    """Return the figures of `case` on `server`, which has been warmed up so that imports and caches do not count."""
    if warm_up:
        await run_people(server, WARM_UP, form)
    figures = await run_people(server, case, form)
    tokens = max(1, figures["tokens"])
    return {
        "server": server.name,
        "case": asdict(case),
        "cpu_us_per_token": figures["cpu_seconds"] / tokens * 1e6,
        "beside_us_per_token": figures["beside_seconds"] / tokens * 1e6,
        "rss_kib_per_stream": (figures["peak_bytes"] - figures["idle_bytes"]) / 1024 / case.streams,
        "idle_rss_mib": figures["idle_bytes"] / 1024**2,
        **figures,
    }


async def run_people(server: Server, case: Case, form: str) -> dict[str, Any]:
    """Let a process of people run the case; return what they saw, and what it cost the server meanwhile."""
    people = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.people", cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE_LIMIT
    )
    assert people.stdin is not None
    assert people.stdout is not None
    try:
        people.stdin.write(json.dumps(order_of(server, case, form)).encode() + b"\n")
        async with asyncio.timeout(READY_SECONDS):
            is_ready = await people.stdout.readline() == b"ready\n"
        if not is_ready:
            raise SystemExit(f"The people could not begin on the {server.name}.")
        await asyncio.sleep(SETTLE_SECONDS)
        return await watch(server, people.stdin, people.stdout)
    finally:
        if people.returncode is None:
            people.terminate()
            await people.wait()


async def watch(server: Server, start: asyncio.StreamWriter, results: asyncio.StreamReader) -> dict[str, Any]:
    idle, before, is_over = resident_bytes(server.pid), Spent.now(server), asyncio.Event()
    peak = asyncio.create_task(peak_bytes(server.pid, is_over))
    start.write(b"go\n")
    figures: dict[str, Any] = json.loads(await results.readline())
    await asyncio.sleep(SETTLE_SECONDS)
    is_over.set()
    return figures | before.until(Spent.now(server)) | {"idle_bytes": idle, "peak_bytes": await peak}


class Spent(NamedTuple):
    """CPU seconds: of the server, of its database and layer, of the bench (server, provider, people, this process), of the machine."""

    at: float
    server: float
    beside: float
    bench: float
    machine: float

    @classmethod
    def now(cls, server: Server) -> Self:
        beside = sum(map(cpu_seconds, server.beside))
        return cls(time.monotonic(), cpu_seconds(server.pid), beside, cpu_seconds(os.getpid()), machine_seconds())

    def until(self, later: Self) -> dict[str, float]:
        """Return what the server spent since, and the share of the machine that others took: above a few per cent they distort."""
        took, server, beside, bench, machine = (after - before for after, before in zip(later, self, strict=True))
        others = max(0.0, machine - bench - beside) / took / (os.cpu_count() or 1)
        return {"cpu_seconds": server, "beside_seconds": beside, "others_percent": others * 100}


def order_of(server: Server, case: Case, form: str) -> dict[str, Any]:
    return {
        "base_url": server.base_url,
        "model": server.models.get(case.model_id, case.model_id),
        "sessions": server.sessions[: case.streams] or [""] * case.streams,
        "conversations": server.histories.get(case.history, [])[: case.streams],
        "viewers": case.viewers,
        "tokens": case.tokens,
        "ttft": TTFT,
        "spread": case.spread,
        "time_limit": case.time_limit,
        "format": form,
    }

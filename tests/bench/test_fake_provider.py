"""The fake provider of the benchmark, over its own wire."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bench.fake_provider import Connection
from bench.pace import Clock

LIMIT = 30.0  # seconds any request may take


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    clock = Clock()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(clock), "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, aiohttp.ClientSession(address, timeout=aiohttp.ClientTimeout(total=LIMIT)) as http:
        yield http


async def moment(http: aiohttp.ClientSession, what: str) -> int:
    async with http.get(f"/v1/streams/{what}") as response:
        return int((await response.json())["at"])


async def stats(http: aiohttp.ClientSession) -> dict[str, int]:
    async with http.get("/v1/stats") as response:
        return dict(await response.json())


async def test_it_tells_when_a_stream_began_and_was_closed(http: aiohttp.ClientSession) -> None:
    waiting = asyncio.create_task(moment(http, "1/closed"))
    async with http.post("/v1/chat/completions", json={"model": "fake:silent=1"}):
        began = await moment(http, "1/begun")
        hung_up = time.monotonic_ns() // 1000
        assert not waiting.done()
    assert began <= hung_up <= await waiting
    assert await moment(http, "1/closed") == await waiting


async def test_an_answer_that_came_to_its_end_was_not_closed_by_its_client(http: aiohttp.ClientSession) -> None:
    async with http.post("/v1/chat/completions", json={"model": "fake:rate=1000,tokens=5,ttft=0"}) as response:
        assert b"[DONE]" in await response.read()
    found = await stats(http)
    assert (found["finished"], found["disconnected"], found["tokens"]) == (1, 0, 5)


async def test_it_answers_others_after_it_has_cut_a_connection(http: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.ClientError):
        async with http.post("/v1/chat/completions", json={"model": "fake:rate=1000,tokens=9,cut=3,ttft=0"}) as response:
            await response.read()
    async with http.post("/v1/chat/completions", json={"model": "fake:rate=1000,tokens=5,ttft=0"}) as response:
        assert b"t4:" in await response.read()

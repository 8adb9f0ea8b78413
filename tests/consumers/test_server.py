"""Sockets of a real server: what they cost it, what it takes from clients, and how they end when it stops."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.server import LIMIT, Server

MANY = 40
POOL = 4  # threads of requests at most, each with a connection, which is three files


@asynccontextmanager
async def sockets(server: Server, path: str, count: int = 1) -> AsyncIterator[list[aiohttp.ClientWebSocketResponse]]:
    """So many open sockets of the person who is logged in, each of which has told its first frame."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(cookies=server.cookies))
        opened = []
        for _ in range(count):
            socket = await stack.enter_async_context(session.ws_connect(f"http://127.0.0.1:{server.port}{path}"))
            assert json.loads((await socket.receive(LIMIT)).data) == {"event": "ping"}
            opened.append(socket)
        yield opened


async def code_of(socket: aiohttp.ClientWebSocketResponse) -> Any:
    """Read to the end and return why it ended."""
    while (await socket.receive(LIMIT)).type is aiohttp.WSMsgType.TEXT:
        pass
    return socket.close_code


@pytest.fixture
def server(tmp_path: Path) -> Any:
    with Server(tmp_path / "data").running() as server:
        yield server


def test_open_sockets_hold_no_thread_and_no_database_connection(server: Server) -> None:
    async def hold() -> None:
        turn = server.send("/silent")
        server.wait_for_status(turn["answer"], "running")
        threads, files = server.count("threads"), server.count("database")
        async with sockets(server, "/changes", MANY), sockets(server, turn["events_url"], MANY):
            assert server.count("sockets") > 2 * MANY
            assert server.count("threads") <= threads + POOL
            assert server.count("database") <= files + 3 * POOL

    asyncio.run(hold())
    server.wait(lambda: server.count("sockets") < MANY)


SAID = {"a word": ("x", 1008), "too much": ("x" * 5000, 1006), "a flood": (b"\0" * 5_000_000, 1006)}


@pytest.mark.parametrize(("said", "code"), SAID.values(), ids=SAID)
def test_who_speaks_to_a_socket_is_cut_off(server: Server, said: str | bytes, code: int) -> None:
    async def speak() -> None:
        async with sockets(server, "/changes") as (socket,):
            try:
                await (socket.send_str(said) if isinstance(said, str) else socket.send_bytes(said))
            except ConnectionError:
                return  # it was cut off before all of the flood was out
            assert await code_of(socket) == code

    asyncio.run(speak())
    assert server.ask("GET", "/accounts/login/").status in (200, 302)


@pytest.mark.parametrize("prompt", ["", "/silent", "/rate 20 /long 50"], ids=["idle", "silent", "writing"])
def test_a_stop_ends_every_socket_with_a_code_that_says_to_come_again(server: Server, prompt: str) -> None:
    async def stop() -> None:
        turn = server.send(prompt or "hello")
        server.wait_for_status(turn["answer"], "running" if prompt else "complete")
        async with AsyncExitStack() as stack:
            opened = await stack.enter_async_context(sockets(server, "/changes", 3))
            if prompt:
                opened += await stack.enter_async_context(sockets(server, turn["events_url"]))
            assert server.process is not None
            server.process.send_signal(signal.SIGTERM)
            codes = await asyncio.gather(*map(code_of, opened))
            assert codes[:3] == [1012] * 3
            # An answer that had begun was kept as interrupted, and that is an end; one that had not is for the next process.
            assert codes[3:] == {"": [], "/silent": [1012]}.get(prompt, [1000])

    asyncio.run(stop())
    assert server.process is not None
    assert server.process.wait(LIMIT) == 0
    assert "Traceback" not in server.log
    assert "took too long" not in server.log


def test_a_turn_is_told_over_a_real_socket_and_the_other_pages_hear_it(server: Server) -> None:
    async def listen(tell: Callable[[], dict[str, Any]]) -> None:
        async with sockets(server, "/changes", 2) as opened:
            turn = tell()
            about = {"conversation": turn["conversation"], "answer": turn["answer"]}
            for socket in opened:
                assert [json.loads((await socket.receive(LIMIT)).data) for _ in range(2)] == [
                    {"event": "begun", "data": about},
                    {"event": "ended", "data": about},
                ]

    asyncio.run(listen(lambda: server.send("hello /rate 5000")))

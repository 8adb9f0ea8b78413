"""Two real processes on one PostgreSQL database: a page that one of them serves hears what happens in the other."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import Node, cluster
from tests.consumers.test_server import sockets
from tests.server import LIMIT
from tests.services import REDIS_URL

pytestmark = pytest.mark.real_postgresql
LAYERS = {"PostgreSQL alone": {}, "Redis": {"REDIS_URL": REDIS_URL}}


@pytest.mark.parametrize("layer", [pytest.param(LAYERS[name], id=name, marks=[pytest.mark.redis] * (name == "Redis")) for name in LAYERS])
def test_what_happens_in_one_process_is_told_by_the_other(tmp_path: Path, layer: dict[str, str]) -> None:
    with cluster(tmp_path / "data", **layer) as (here, there):
        asyncio.run(tell_and_listen(here, there))


async def tell_and_listen(here: Node, there: Node) -> None:
    async with sockets(here, "/changes") as (near,), sockets(there, "/changes") as (far,):
        turn = here.send("hello /rate 5000")
        path = f"/conversations/{turn['conversation']}"
        about = {"conversation": turn["conversation"], "answer": turn["answer"]}
        for socket in (near, far):
            assert await told(socket, 2) == [{"event": "begun", "data": about}, {"event": "ended", "data": about}]
        assert there.ask("POST", f"{path}/rename", {"title": "Another"}).status == 302
        for socket in (near, far):
            assert await told(socket, 1) == [{"event": "renamed", "data": {"conversation": turn["conversation"]}}]


async def told(socket: Any, count: int) -> list[Any]:
    """The next frames but pings."""
    frames: list[Any] = []
    while len(frames) < count:
        frame = json.loads((await socket.receive(LIMIT)).data)
        frames += [frame] if frame["event"] != "ping" else []
    return frames


def test_the_events_of_an_answer_come_over_a_socket_from_a_process_that_does_not_run_it(tmp_path: Path) -> None:
    with cluster(tmp_path / "data") as (here, there):
        turn = here.send("/rate 200 /long 3")
        text = asyncio.run(read_text(there, turn["events_url"]))
        assert here.rows("SELECT text FROM conversations_message WHERE id = ?", turn["answer"]) == [(text,)]


async def read_text(node: Node, path: str) -> str:
    text = ""
    async with sockets(node, path) as (socket,):
        async for message in socket:
            frame = json.loads(message.data)
            text += frame["data"]["text"] if frame["event"] == "text_delta" else ""
        assert socket.close_code == 1000
    return text

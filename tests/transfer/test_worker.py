"""The process that imports, beside a real site: uploads cost no memory, and a kill -9 costs neither conversations nor doubles."""

import contextlib
import http.client
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server import LIMIT, ROOT, Reply, Server, environment

from .uploads import conversation

BOUNDARY = "a-boundary-of-tests"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("site") / "data")
    server.more = {"IMPORT_MAX_MB": "40"}
    with server.running():
        yield server


def post(server: Server, path: str, content: bytes) -> Reply:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.json"\r\n\r\n'.encode()
    body = io.BytesIO(head + content + f"\r\n--{BOUNDARY}--\r\n".encode())
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)) as connection:
        headers = server.headers(Accept="application/json") | {
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "Content-Length": str(len(body.getvalue())),
        }
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read())


def large(count: int, first: int = 0, text: str = "Words and words. ") -> bytes:
    return json.dumps([conversation(number, text=text, turns=4) for number in range(first, first + count)]).encode()


def peak_memory(server: Server) -> int:
    """The most memory that the process ever had, in MB."""
    (found,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{server.pid}/status").read_text())
    return int(found) // 1024


def state(server: Server, reply: Reply) -> dict[str, Any]:
    told: dict[str, Any] = server.ask("GET", reply.json["url"], Accept="application/json").json
    return told


def ended(server: Server, reply: Reply) -> dict[str, Any]:
    return server.wait(lambda: told if (told := state(server, reply))["status"] not in ("waiting", "running") else None)  # type: ignore[return-value]


def test_an_upload_is_imported_beside_the_site_and_costs_it_no_memory(server: Server) -> None:
    padded = [{"name": f"Refused {number}", "padding": "x" * 100_000} for number in range(280)]  # nothing to keep, so it is quick
    content = json.dumps([*json.loads(large(5, first=5000)), *padded]).encode()
    assert len(content) > 25 * 2**20
    before = peak_memory(server)
    reply = post(server, "/imports", content)
    assert reply.status == 201, reply.body
    assert peak_memory(server) - before < 20
    told = ended(server, reply)
    assert (told["status"], told["added"], told["refused"]) == ("complete", 5, 280)
    assert not [path for path in (server.data_dir / "imports").iterdir() if path.name != "lock"]


def test_what_is_larger_than_its_address_allows_is_refused_in_words_and_kept_nowhere(server: Server) -> None:
    before = peak_memory(server)
    reply = post(server, "/imports", b"x" * (45 * 2**20))
    assert (reply.status, reply.json["error"]["code"]) == (413, "too_large")
    reply = post(server, "/conversations", b"x" * (30 * 2**20))
    assert (reply.status, reply.json["error"]["code"]) == (413, "too_large")
    assert peak_memory(server) - before < 20


def workers(server: Server) -> list[int]:
    """The processes that import for this site."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            is_its = f"DATA_DIR={server.data_dir}\0".encode() in path.read_bytes()
            if is_its and b"take_imports" in (path.parent / "cmdline").read_bytes():
                found.append(int(path.parent.name))
    return found


@pytest.mark.parametrize("who", ["worker", "site and worker"])
def test_an_import_that_is_killed_goes_on_and_doubles_nothing(tmp_path: Path, who: str) -> None:
    server = Server(tmp_path / "data")
    with server.running():
        reply = post(server, "/imports", large(400))
        server.wait(lambda: state(server, reply)["added"] > 20)
        if who != "worker":
            server.kill()
        for pid in workers(server):
            os.kill(pid, signal.SIGKILL)
        if who != "worker":
            server.start()
        told = ended(server, reply)
        assert told["status"] == "complete"
        assert told["known"] > 0
        assert told["added"] + told["known"] == 400
        assert server.rows("SELECT count(*), count(DISTINCT source_key) FROM conversations_conversation") == [(400, 400)]
        sizes = server.rows("SELECT count(*) FROM conversations_message GROUP BY conversation_id")
        assert set(sizes) == {(8,)}


def test_answers_are_written_while_a_file_is_imported(server: Server) -> None:
    reply = post(server, "/imports", large(300, first=1000))
    turn = server.send("hello /rate 500")
    assert server.wait_for_status(turn["answer"], "complete", "failed") == "complete"
    assert ended(server, reply)["status"] == "complete"


def test_the_command_ends_where_nothing_waits(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    server.prepare()
    command = [sys.executable, "-m", "chatsite", "take_imports"]
    done = subprocess.run(command, cwd=ROOT, env=environment(server.data_dir), capture_output=True, timeout=LIMIT, check=True)
    assert done.stdout + done.stderr == b""

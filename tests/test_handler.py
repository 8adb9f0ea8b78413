"""The site on real sockets: what an open stream costs, what each kind of request gets, and what a client that leaves, leaves."""

import gzip
import http.client
import json
import re
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from .server import LIMIT, Server

MANY = 300
STREAM = ("text/event-stream; charset=utf-8", "no-cache, no-store, no-transform", "no")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("handler") / "data").running() as server:
        yield server
    assert "Internal Server Error" not in server.log
    assert (server.data_dir / "secret_key").read_text() not in server.log


@pytest.fixture
def silent(server: Server) -> Iterator[dict[str, Any]]:
    """A turn whose answer never comes."""
    turn = server.send("/silent")
    server.wait_for_status(turn["answer"], "running")
    yield turn
    server.ask("POST", turn["stop_url"], {})
    server.wait_for_status(turn["answer"], "stopped")


def page_path(turn: dict[str, Any]) -> str:
    return f"/messages/{turn['answer']}/events?after=0.0"


def opened(server: Server, path: str) -> socket.socket:
    """Open a stream and read its head and its first event."""
    client = server.stream(path)
    received = b""
    while b"\r\n\r\n" not in received:
        received += client.recv(4096)
    assert received.startswith(b"HTTP/1.1 200"), received
    return client


def test_three_hundred_idle_streams_hold_no_thread_and_no_connection(server: Server, silent: dict[str, Any]) -> None:
    """A program's stream and a page's, half of each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    for _ in range(20):  # until every thread of the pool has run and holds its own connection
        server.ask("GET", "/")
    before = {what: server.count(what) for what in ("threads", "database", "sockets")}
    with ExitStack() as clients:
        for number in range(MANY):
            path = silent["events_url"] if number % 2 else page_path(silent)
            clients.enter_context(opened(server, path))
        assert server.count("sockets") >= MANY
        assert server.ask("GET", "/").status == 200
        assert server.ask("GET", silent["url"]).status == 200
        assert server.count("threads") <= before["threads"]
        assert server.count("database") <= before["database"]
    server.wait(lambda: server.count("sockets") <= before["sockets"])


def test_the_middleware_runs_for_streams(server: Server, silent: dict[str, Any]) -> None:
    for path in (page_path(silent), silent["events_url"]):
        with server.open("GET", path, Accept_Encoding="gzip, br") as response:
            assert response.status == 200
            assert "default-src 'self'" in response.headers["Content-Security-Policy"]
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert tuple(response.headers[name] for name in ("Content-Type", "Cache-Control", "X-Accel-Buffering")) == STREAM
            assert response.headers["Content-Encoding"] is None


def test_the_first_piece_of_a_stream_arrives_before_the_last_is_written(server: Server) -> None:
    turn = server.send("/pause 3600 hello /rate 1000")
    with server.open("GET", turn["events_url"]) as response:
        assert b"event: text_delta\n" in iter(response.readline, b"")
        assert server.status_of(turn["answer"]) == "running"
    assert server.ask("POST", turn["stop_url"], {}, Accept="application/json").status == 204
    assert server.wait_for_status(turn["answer"], "stopped", "complete") == "stopped"


def test_a_stream_is_open_before_a_silent_model_says_anything(server: Server, silent: dict[str, Any]) -> None:
    """Otherwise a client cannot tell a server that waits from one that is gone."""
    for path in (page_path(silent), silent["events_url"]):
        with server.open("GET", path) as response:
            assert response.status == 200
    assert server.status_of(silent["answer"]) == "running"


def test_a_client_that_leaves_stops_nobody(server: Server, silent: dict[str, Any]) -> None:
    before = server.count("sockets")
    with opened(server, page_path(silent)) as staying:
        for _ in range(20):
            opened(server, page_path(silent)).close()
        server.wait(lambda: server.count("sockets") <= before + 1)
        server.ask("POST", silent["stop_url"], {})
        server.wait_for_status(silent["answer"], "stopped")
        received = b""
        while b"event: done" not in received:
            received += staying.recv(4096)
    assert b"data: stopped" in received


@pytest.mark.parametrize("piece", [b"GET / HT", b"POST /conversations HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf"])
def test_a_client_that_leaves_in_the_middle_of_its_request_is_forgotten(server: Server, piece: bytes) -> None:
    before = server.count("sockets")
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(piece)
    server.wait(lambda: server.count("sockets") <= before)
    assert server.ask("GET", "/").status == 200


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/nothing", "/static/css/site.css"])
def test_head_is_get_without_a_body(server: Server, path: str) -> None:
    get, head = server.ask("GET", path), server.ask("HEAD", path)
    assert (head.status, head.body) == (get.status, b"")


def test_head_of_a_stream_opens_none(server: Server, silent: dict[str, Any]) -> None:
    reply = server.ask("HEAD", page_path(silent))
    assert (reply.status, reply.headers["Content-Type"], reply.body) == (200, STREAM[0], b"")


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE"])
def test_a_stream_is_opened_by_get_alone(server: Server, silent: dict[str, Any], method: str) -> None:
    reply = server.ask(method, page_path(silent))
    assert reply.status == 405
    assert reply.headers["Allow"] == "GET"


def test_pages_are_compressed_and_streams_are_not(server: Server) -> None:
    reply = server.ask("GET", "/", Accept_Encoding="gzip")
    assert reply.headers["Content-Encoding"] == "gzip"
    assert b"</html>" in gzip.decompress(reply.body)


def test_static_files_are_compressed_and_kept_for_ever_by_browsers(server: Server) -> None:
    page = server.ask("GET", "/").body.decode()
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(files) >= 4
    for path in files:
        reply = server.ask("GET", path, Accept_Encoding="gzip")
        assert reply.status == 200
        assert "max-age=315360000" in reply.headers["Cache-Control"], path
        assert "immutable" in reply.headers["Cache-Control"], path
        if not path.endswith(".svg"):
            assert reply.headers["Content-Encoding"] == "gzip", path
        again = server.ask("GET", path, If_None_Match=reply.headers["ETag"] or "", If_Modified_Since=reply.headers["Last-Modified"] or "")
        assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "path",
    ["/static/../site.sqlite3", "/static/..%2fsite.sqlite3", "/static/%2e%2e/secret_key", "/static//etc/passwd", "/../data/secret_key"],
)
def test_nothing_outside_the_static_files_is_served(server: Server, path: str) -> None:
    reply = server.ask("GET", path)
    assert reply.status in {400, 404}
    assert (server.data_dir / "secret_key").read_bytes() not in reply.body


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [({"prompt": "x" * 5_000_000}, 413, "too_large"), (dict.fromkeys(range(2000), "x"), 400, "too_many_fields")],
)
def test_a_body_that_the_site_does_not_take_is_refused_in_a_line_of_the_log(server: Server, fields: Any, status: int, code: str) -> None:
    before = len(server.log)
    reply = server.ask("POST", "/conversations", fields, Accept="application/json")
    assert (reply.status, reply.json["error"]["code"]) == (status, code)
    assert server.ask("GET", "/").status == 200
    said = server.log[before:]
    assert "django.security" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("boundary", ["", "; boundary=", "; boundary=\xe9"])
@pytest.mark.parametrize(
    ("headers", "beginning"),
    [
        ({"Accept": "text/html"}, "<!doctype html>"),
        ({"HX_Request": "true"}, '<hx-partial hx-target="#composer-error"'),
        ({"Accept": "application/json"}, '{"error": {"code": "bad_request"'),
    ],
)
def test_a_form_whose_parts_cannot_be_told_apart_is_refused_in_words(
    server: Server, boundary: str, headers: dict[str, str], beginning: str
) -> None:
    own = server.headers(Content_Type=f"multipart/form-data{boundary}", **headers)
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)) as connection:
        connection.request("POST", "/conversations", b"prompt=hello", own)
        response = connection.getresponse()
        assert response.status == 400
        assert response.read().decode().strip().startswith(beginning)


def test_requests_that_are_none_are_refused_and_the_site_goes_on(server: Server) -> None:
    for request in (b"\x00\x01\x02\r\n\r\n", b"GET /\xff\xfe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 50):
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            answer = client.recv(4096)
            assert not answer.startswith(b"HTTP/1.1 5"), (request, answer)
    assert server.ask("GET", "/").status == 200


def test_many_people_press_enter_together_and_each_gets_a_whole_answer(server: Server) -> None:
    turns = [server.send(f"hello {number} /rate 500") for number in range(30)]
    with ExitStack() as streams:
        responses = [streams.enter_context(server.open("GET", turn["events_url"])) for turn in turns]
        for turn, response in zip(turns, responses, strict=True):
            text = "".join(json.loads(line[6:])["text"] for line in response if line.startswith(b'data: {"text":'))
            ((kept,),) = server.rows("SELECT text FROM conversations_message WHERE id = ?", turn["answer"])
            assert text == kept
            assert kept


def test_the_server_ends_when_it_is_asked(tmp_path: Path) -> None:
    with Server(tmp_path / "data").running() as server:
        assert server.terminate() == 0

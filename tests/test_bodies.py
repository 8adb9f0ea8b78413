"""How much of a body a real server keeps, of whom, before anybody has read it."""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client

from chatsite import bodies
from chatsite.sessions import is_somebodys
from conversations.models import Scope, make_token

from .server import CSRF, LIMIT, Server

MB = 2**20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("bodies") / "data")
    server.more = {"IMPORT_MAX_MB": "40"}
    with server.running() as server:
        yield server


def kept(server: Server) -> int:
    """The bytes of nameless files that the process holds open: where bodies wait."""
    found = 0
    for descriptor in Path(f"/proc/{server.pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            if "(deleted)" in str(descriptor.readlink()):
                found += os.stat(descriptor).st_size
    return found


def begun(server: Server, *head: str, is_known: bool) -> socket.socket:
    cookies = f"Cookie: csrftoken={CSRF}; sessionid={server.cookies['sessionid'] if is_known else 'x' * 32}"
    client = socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT)
    lines = ["POST /imports HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json", "Content-Type: multipart/form-data; boundary=b"]
    client.sendall("\r\n".join([*lines, cookies, *head, "", ""]).encode())
    return client


def sent(client: socket.socket, megabytes: int, is_chunked: bool) -> None:
    for _ in range(megabytes):
        client.sendall(f"{MB:x}\r\n".encode() + b"x" * MB + b"\r\n" if is_chunked else b"x" * MB)


def answer(client: socket.socket) -> tuple[int, Any]:
    received = b""
    while piece := client.recv(65536):
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("is_known", [False, True])
def test_only_of_who_is_logged_in_a_large_body_is_kept(server: Server, is_chunked: bool, is_known: bool) -> None:
    head = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {16 * MB}"
    with begun(server, head, "Connection: close", is_known=is_known) as client:
        sent(client, 15, is_chunked)
        deadline = time.monotonic() + LIMIT
        while is_known and kept(server) < 14 * MB:
            assert time.monotonic() < deadline
        if not is_known:  # it has been read when it is answered
            sent(client, 1, is_chunked)
            client.sendall(b"0\r\n\r\n" if is_chunked else b"")
            status, told = answer(client)
            assert kept(server) == 0
            if is_chunked:  # Django reads no form whose length is not told
                assert status == 403
            else:
                assert (status, told["error"]["code"]) == (413, "too_large")
                assert "logged in" in told["error"]["message"]


def test_a_body_that_says_it_is_too_large_is_kept_nowhere(server: Server) -> None:
    with begun(server, f"Content-Length: {60 * MB}", is_known=True) as client:
        sent(client, 20, is_chunked=False)
        assert server.ask("GET", "/").status == 200
        assert kept(server) == 0


class Spoken:
    """The body of a request as another ASGI server tells it, in pieces."""

    def __init__(self, pieces: int) -> None:
        self.left = pieces

    async def receive(self) -> dict[str, Any]:
        self.left -= 1
        return {"type": "http.request", "body": b"x" * 100_000, "more_body": self.left > 0}


class Body(bytes):
    def close(self) -> None: ...


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("pieces", "known_by", "is_kept"),
    [(2, "", True), (4, "", False), (4, "cookie", True), (50, "cookie", False), (4, "token", True), (4, "wrong token", False)],
)
async def test_under_another_server_the_same_is_kept(alice: User, alices: Client, pieces: int, known_by: str, is_kept: bool) -> None:
    lengths = []

    async def read(receive: bodies.Receive) -> Any:
        pieces, more = [], True
        while more:
            message = await receive()
            more = message["more_body"]
            pieces.append(message["body"])
        lengths.append(len(b"".join(pieces)))
        return Body(b"".join(pieces))

    _, secret = await sync_to_async(make_token)(alice, "A script", [Scope.CHAT], None)
    cookie = (b"cookie", f"sessionid={alices.session.session_key}".encode())
    headers = {
        "": [],
        "cookie": [cookie],
        "token": [(b"authorization", f"Bearer {secret}".encode())],
        "wrong token": [cookie, (b"authorization", b"Bearer chat_wrong")],
    }[known_by]
    body = await bodies.read({"path": "/conversations", "headers": headers}, Spoken(pieces).receive, read)
    assert (not isinstance(body, bodies.TooLarge)) == is_kept
    assert lengths[0] <= 4 * MB
    assert is_kept or known_by == "cookie" or lengths[0] <= bodies.UNKNOWN_BYTES


@pytest.mark.parametrize("cookie", ["\0" * 32, "a\0" * 16, "x" * 31 + "é", "A" * 32, "x" * 5000, ""])
@pytest.mark.postgresql
def test_a_cookie_that_can_be_no_key_is_nobodys(alice: User, cookie: str) -> None:
    assert not is_somebodys(cookie)
    browser = Client(raise_request_exception=False)
    browser.cookies["sessionid"] = cookie
    assert browser.get("/").status_code == 302

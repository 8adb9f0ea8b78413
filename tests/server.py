"""A real `manage.py serve` in a process of its own, on a free port, with its own data directory and database.

For claims about the process: that it may be killed, what its sockets, threads and files are. Everything else is
tested in this process, where it is faster.
"""

import functools
import http.client
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from chatsite.kept_process import free_port

from .services import HERE

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 60.0  # seconds any wait of these tests may take; never a measure of speed
PASSWORD = "correct horse battery staple"
CSRF = "c" * 32


class Reply(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


SETUP = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("setup")
from chatsite import assets
assets.collect()
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
browser = Client()
browser.force_login(User.objects.get(username="admin"))
(settings.DATA_DIR / "session").write_text(browser.session.session_key)
"""


@functools.cache
def prepared_site() -> Path:
    """The data directory of a new site with its static files and a session of `admin`, made once."""
    data_dir = HERE / "prepared"
    data_dir.mkdir()
    run(SETUP, data_dir)
    return data_dir


def run(code: str, data_dir: Path) -> None:
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment(data_dir), check=True, capture_output=True)


def environment(data_dir: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    ours = {"DATA_DIR": str(data_dir), "DJANGO_SETTINGS_MODULE": "chatsite.settings", "ADMIN_PASSWORD": PASSWORD}
    return {**kept, **ours, "SHUTDOWN_GRACE_SECONDS": "1"}


class Server:
    """In `running()` it may be killed or terminated, and started again: the data stays."""

    module = "chatsite"
    command: tuple[str, ...] = ("serve",)

    def __init__(self, data_dir: Path) -> None:
        self.data_dir, self.port = data_dir, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.cookies: dict[str, str] = {}
        self.more: dict[str, str] = {}  # environment

    def prepare(self) -> None:
        """Take a copy of a site that has its tables, the demo and the account `admin`."""
        shutil.copytree(prepared_site(), self.data_dir)

    def launch(self) -> None:
        """Begin to start it, so that several may start side by side."""
        settings = environment(self.data_dir) | {"PORT": str(self.port)} | self.more
        with (self.data_dir / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.module, *self.command], cwd=ROOT, env=settings, stdout=log, stderr=log
            )

    def start(self) -> None:
        """See to it that it runs, and answers."""
        if not self.is_running:
            self.launch()
        self.wait(self.answers)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log
        try:
            self.ask("GET", "/accounts/login/")
        except ConnectionRefusedError:
            return False
        return True

    @property
    def log(self) -> str:
        return (self.data_dir / "log").read_text()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def kill(self) -> None:
        """As when the power goes."""
        self.end(signal.SIGKILL)

    def terminate(self) -> int:
        return self.end(signal.SIGTERM)

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(LIMIT)

    @contextmanager
    def running(self) -> Iterator["Server"]:
        """Prepare and start it, log in, and end it however the test, or the start, goes."""
        try:
            self.prepare()
            self.start()
            self.log_in()
            yield self
        finally:
            self.put_away()

    def put_away(self) -> None:
        if self.is_running:
            self.kill()

    def wait[T](self, read: Callable[[], T]) -> T:
        """Read until there is something; fails after LIMIT seconds."""
        deadline = time.monotonic() + LIMIT
        while not (value := read()):
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)
        return value

    def headers(self, **more: str) -> dict[str, str]:
        names = {name.replace("_", "-"): value for name, value in more.items()}
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Cookie": cookies, "X-CSRFToken": self.cookies.get("csrftoken", "")} | names

    @contextmanager
    def open(self, method: str, path: str, fields: dict[str, Any] | None = None, **headers: str) -> Iterator[http.client.HTTPResponse]:
        """Ask, and give the response with its body unread; leaving closes the connection."""
        body = urlencode(fields) if fields is not None else None
        form = {"Content-Type": "application/x-www-form-urlencoded"} if fields is not None else {}
        with closing(self.connection()) as connection:
            connection.request(method, path, body, self.headers(**headers) | form)
            with connection.getresponse() as response:
                self.keep_cookies(response)
                yield response

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)

    def keep_cookies(self, response: http.client.HTTPResponse) -> None:
        for cookie in response.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value

    def ask(self, method: str, path: str, fields: dict[str, Any] | None = None, **headers: str) -> Reply:
        with self.open(method, path, fields, **headers) as response:
            return Reply(response.status, response.headers, response.read())

    def log_in(self) -> None:
        """Take the session that was made with the site: to judge a password takes a while."""
        self.cookies = {"sessionid": (self.data_dir / "session").read_text(), "csrftoken": CSRF}

    def send(self, prompt: str) -> dict[str, Any]:
        """Begin a conversation and return what a program is told of it."""
        reply = self.ask("POST", "/conversations", {"prompt": prompt}, Accept="application/json")
        assert reply.status == 201, reply.body
        told: dict[str, Any] = reply.json
        return told

    def stream(self, path: str) -> socket.socket:
        """Ask for a stream and return the bare socket, with nothing read."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT)
        lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in self.headers().items())]
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        return client

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Read the server's database from outside."""
        connection = sqlite3.connect(self.data_dir / "site.sqlite3", timeout=LIMIT)
        try:
            return connection.execute(query, parameters).fetchall()
        finally:
            connection.close()

    def status_of(self, answer: int) -> str:
        return str(self.rows("SELECT status FROM conversations_generation WHERE message_id = ?", answer)[0][0])

    def wait_for_status(self, answer: int, *wanted: str) -> str:
        return self.wait(lambda: status if (status := self.status_of(answer)) in wanted else "")

    def count(self, what: str) -> int:
        """Count the threads, the open sockets or the open files of the database, of the process."""
        if what == "threads":
            return len(list(Path(f"/proc/{self.pid}/task").iterdir()))
        return sum(bool(re.search({"sockets": r"^socket:", "database": r"site\.sqlite3"}[what], name)) for name in self.open_files())

    def open_files(self) -> Iterator[str]:
        for descriptor in Path(f"/proc/{self.pid}/fd").iterdir():
            try:
                yield str(descriptor.readlink())
            except FileNotFoundError:
                continue

"""`python -m chatsite run` as a person starts it: what it says, what it keeps, and how it ends."""

import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chatsite import local_model
from chatsite.kept_process import free_port
from conversations.management.commands.run import name_that_works, names_missing

LIMIT = 60.0
LOCAL_PROVIDER = "UPDATE conversations_provider SET slug = 'local' WHERE slug = 'echo'"


class Run:
    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.port = int(environment.get("PORT", free_port()))
        settings = {"DATA_DIR": str(data_dir), "PORT": str(self.port), "LOCAL_MODEL": "off", **environment}
        bare = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chatsite", "run"],
            env=bare | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + LIMIT
        while self.process.poll() is None and time.monotonic() < deadline:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
            try:
                connection.request("GET", "/accounts/login/")
                assert connection.getresponse().read()
                return
            except ConnectionRefusedError:
                time.sleep(0.05)
            finally:
                connection.close()
        pytest.fail(f"the site did not come up: {self.process.communicate()[0]}")

    def end(self, number: int = signal.SIGINT) -> str:
        """Send `number` to the whole process group, as Ctrl-C does, and return what was printed."""
        os.killpg(self.process.pid, number)
        return self.output()

    def output(self) -> str:
        return self.process.communicate(timeout=LIMIT)[0]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[type[Run]]:
    runs: list[Run] = []

    class Started(Run):
        def __init__(self, **environment: str) -> None:
            super().__init__(tmp_path / "data", **environment)
            runs.append(self)

    yield Started  # type: ignore[misc]
    for run in runs:
        if run.process.poll() is None:
            run.process.kill()
            run.process.communicate()


def test_the_password_is_shown_at_the_first_start_and_never_again(start: type[Run]) -> None:
    printed = []
    for _ in range(2):
        run = start()
        run.wait_until_up()
        printed.append(run.end())
        assert run.process.returncode in (0, 130)
        assert "Traceback" not in printed[-1]
    assert "Password" in printed[0]
    assert "Password" not in printed[1]
    assert all("Models    Echo\n" in text for text in printed)


@pytest.mark.local_model
def test_ctrl_c_ends_the_local_model_too(start: type[Run]) -> None:
    run = start(LOCAL_MODEL="")
    run.wait_until_up()
    children = Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children")
    (child,) = (int(word) for path in children.parent.parent.glob("*/children") for word in path.read_text().split())
    assert "SmolLM2 135M Instruct" in run.end()
    assert not Path(f"/proc/{child}").exists()


def test_a_port_in_use_is_a_sentence(start: type[Run]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        run = start(PORT=str(other.getsockname()[1]))
        assert_one_sentence(run, "is already in use")


def test_a_second_start_on_the_same_data_changes_nothing_of_the_site_that_runs(start: type[Run], tmp_path: Path) -> None:
    first = start()
    first.wait_until_up()
    with closing(sqlite3.connect(tmp_path / "data" / "site.sqlite3", isolation_level=None)) as database:
        database.execute(LOCAL_PROVIDER)
        assert_one_sentence(start(OPENAI_BASE_URL="http://127.0.0.1:1/v1"), "serves")
        rows = database.execute("SELECT slug, is_enabled FROM conversations_provider WHERE slug != 'echo'").fetchall()
    assert rows == [("local", 1)]
    assert first.process.poll() is None


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "99999", "is not a port"),
        ("HOST", "nowhere.invalid", "is not an address of this machine"),
        ("WEB_THREADS", "many", "is not a whole number"),
        ("HTTPS", "maybe", "neither on nor off"),
        ("DATA_DIR", "/dev/null/data", "cannot be used"),
        ("DATA_DIR", "", "DATA_DIR is empty"),
        ("ADMIN_PASSWORD", os.fsdecode(b"\xff"), "ADMIN_PASSWORD is not UTF-8"),
        ("OPENAI_BASE_URL", "http://user:secret@127.0.0.1/v1", "without a password"),
        ("REDIS_URL", "redis://127.0.0.1:1/0", "Redis does not answer"),
        ("DATABASE_URL", "mysql://x", "must look like"),
        ("DATABASE_URL", "postgresql://postgres@127.0.0.1:1/none", "does not answer"),
        ("DATABASE_URL", f"sqlite:///{__file__}", "is not an SQLite database"),
        ("DATABASE_URL", "sqlite:////proc/site.sqlite3", "cannot be opened"),
        ("DATABASE_URL", "sqlite:////dev/null/site.sqlite3", "cannot be made"),
        ("TRUSTED_ORIGINS", "https://chat.example.org,foo", "'foo' is not an origin"),
        ("LOCAL_MODEL", "/nowhere/model.gguf", "cannot be read"),
        ("LOCAL_MODEL", __file__, "is not a GGUF file"),
    ],
)
def test_a_bad_setting_is_a_sentence(start: type[Run], name: str, value: str, sentence: str) -> None:
    assert_one_sentence(start(**{name: value}), sentence)


def assert_one_sentence(run: Run, sentence: str) -> None:
    printed = run.output()
    assert sentence in printed
    assert len(printed.strip().splitlines()) == 1
    assert run.process.returncode == 1


def test_no_local_model_is_found_where_none_is_wanted() -> None:
    assert local_model.find("off") is None


@pytest.mark.parametrize(
    ("host", "allowed", "shown", "is_noted"),
    [
        ("0.0.0.0", "", "127.0.0.1", True),
        ("::", "", "127.0.0.1", True),
        ("0.0.0.0", "chat.example.org", "chat.example.org", False),
        ("0.0.0.0", "*", "127.0.0.1", False),
        ("::1", "", "[::1]", False),
        ("192.168.1.7", "", "192.168.1.7", False),
    ],
)
def test_the_greeting_names_an_address_that_works(
    settings: Any, monkeypatch: pytest.MonkeyPatch, host: str, allowed: str, shown: str, is_noted: bool
) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", allowed)
    settings.HOST, settings.ALLOWED_HOSTS = host, [*(allowed or "localhost,127.0.0.1,[::1]").split(","), host]
    assert name_that_works() == shown
    assert bool(names_missing()) == is_noted

"""`python -m chatsite run` as a person starts it: what it says, what it keeps, and how it ends."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatsite import local_model
from chatsite.processes import free_port

LIMIT = 60.0


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


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "99999", "is not a port"),
        ("HOST", "nowhere.invalid", "is not an address of this machine"),
        ("WEB_THREADS", "many", "is not a whole number"),
        ("HTTPS", "maybe", "neither on nor off"),
        ("DATA_DIR", "/dev/null/data", "cannot be used"),
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

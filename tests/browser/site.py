"""The real site as a subprocess, with its own data: what a person starts with `run`, and people who are logged in.

It never shares a database with the test process, so nothing here imports Django.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from chatsite.kept_process import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT = 60.0  # seconds until the site must answer


class Site:
    """`start()` it, `stop()` it, or `kill()` it and start it again: its address and its data stay."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        bare = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "LOCAL_MODEL"}}
        own = {
            "DATA_DIR": str(data_dir),
            "PORT": str(self.port),
            "SHUTDOWN_GRACE_SECONDS": "0",
            "DJANGO_SETTINGS_MODULE": "chatsite.settings",
        }
        self.environment = bare | own | environment
        self.log, self.database = data_dir / "site.log", data_dir / "site.sqlite3"
        self.sessions: dict[str, str] = {}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "chatsite", "run"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True)
        self.wait_until_up()

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + LIMIT
        while self.process and self.process.poll() is None and time.monotonic() < deadline:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
                connection.request("GET", "/accounts/login/")
                assert connection.getresponse().status == 200
                return
            except OSError:
                time.sleep(0.05)
            finally:
                connection.close()
        raise AssertionError(f"The site did not come up: {self.log.read_text()}")

    def stop(self, number: int = signal.SIGTERM) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(LIMIT)

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def populate(self, wire_url: str = "") -> None:
        """Add the cast, each with a session, and the models of the stories; without a wire, no dictated one."""
        self.sessions = json.loads(self.run("tests.browser.people", wire_url))

    def run(self, module: str, *arguments: str) -> str:
        """Run a module in the site's environment, and return what it prints."""
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True).stdout

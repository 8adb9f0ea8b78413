"""Who may read what the site keeps: the account that it runs as."""

import os
import stat
import subprocess
import sys
from pathlib import Path

from chatsite import private
from tests.server import ROOT, environment


def open_to_others(directory: Path) -> list[str]:
    return [str(path) for path in (directory, *directory.rglob("*")) if stat.S_IMODE(path.stat().st_mode) & 0o077]


def test_what_a_start_makes_and_finds_is_for_nobody_else(tmp_path: Path) -> None:
    found = tmp_path / "data"
    found.mkdir(mode=0o755)
    for name in ("secret_key", "site.sqlite3"):
        (found / name).touch(0o644)
    (found / "secret_key").write_text("k" * 50)
    subprocess.run([sys.executable, "-m", "chatsite", "migrate"], cwd=ROOT, env=environment(found), check=True, capture_output=True)
    assert (found / "site.sqlite3").stat().st_size > 0
    assert open_to_others(found) == []


def test_a_database_elsewhere_is_for_nobody_else_and_its_directory_stays(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        (database := tmp_path / "other.db").touch(0o644)
        (log := tmp_path / "other.db.log").touch(0o644)
        tmp_path.chmod(0o755)
        private.keep(tmp_path / "data", database)
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (database, log, tmp_path, tmp_path / "data")]
    finally:
        os.umask(before)
    assert modes == [0o600, 0o644, 0o755, 0o700]


def test_a_directory_for_everybody_stays_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    (tmp_path / "secret_key").touch(0o644)
    before = os.umask(0o022)
    try:
        private.keep(tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600

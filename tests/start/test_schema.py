"""A database that this code cannot use: one sentence, and an exit code that says so to whoever supervises the process."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from chatsite import schema
from chatsite.kept_process import free_port
from tests.server import LIMIT, ROOT, environment, prepared_site

# Root may write to what nobody may write to, unless it gives that right up.
AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"] if os.geteuid() == 0 else []
NEWEST = "SELECT name FROM django_migrations WHERE app = 'conversations' ORDER BY id DESC LIMIT 1"
FROM_THE_FUTURE = "INSERT INTO django_migrations (app, name, applied) VALUES ('conversations', '9999_from_the_future', '2026-01-01')"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared_site(), tmp_path / "data"))


def alter(data_dir: Path, *statements: str) -> None:
    with closing(sqlite3.connect(data_dir / "site.sqlite3")) as database, database:
        for statement in statements:
            database.execute(statement)


def refusal(data_dir: Path, *command: str, **settings: str) -> str:
    """Start the command, which must end by itself, and return the one line that it says."""
    own = environment(data_dir) | {"PORT": str(free_port()), "LOCAL_MODEL": "off"} | settings
    ended = subprocess.run([*AS_ANYBODY, sys.executable, *command], cwd=ROOT, env=own, capture_output=True, text=True, timeout=LIMIT)
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    return line


SERVE, RUN = ("manage.py", "serve"), ("-m", "chatsite", "run")


def test_serve_refuses_a_database_that_is_older_than_the_code(data_dir: Path) -> None:
    alter(data_dir, f"DELETE FROM django_migrations WHERE app = 'conversations' AND name = ({NEWEST})")
    assert "is older than this code: 1 migration is not applied. Run" in refusal(data_dir, *SERVE)


def test_serve_refuses_a_database_without_tables(tmp_path: Path) -> None:
    assert "migrations are not applied. Run" in refusal(tmp_path, *SERVE)


@pytest.mark.parametrize("command", [SERVE, RUN], ids=["serve", "run"])
def test_a_database_that_a_later_version_has_changed_is_refused(data_dir: Path, command: tuple[str, ...]) -> None:
    alter(data_dir, FROM_THE_FUTURE)
    assert "is newer than this code, which has no migration 9999_from_the_future." in refusal(data_dir, *command)


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql
def test_a_database_of_this_code_is_taken_with_what_an_app_left_that_is_gone() -> None:
    recorder, later = MigrationRecorder(connection), ("conversations", "9999_from_the_future")
    recorder.record_applied("plugin", "0001_initial")
    schema.check()
    recorder.record_applied(*later)
    try:
        with pytest.raises(SystemExit, match="newer"):
            schema.check()
    finally:
        recorder.record_unapplied(*later)
        recorder.record_unapplied("plugin", "0001_initial")


@pytest.mark.parametrize("command", [SERVE, RUN], ids=["serve", "run"])
def test_a_file_that_is_no_database_is_refused(data_dir: Path, command: tuple[str, ...]) -> None:
    (data_dir / "site.sqlite3").write_text("Dear diary, today I was taken for a database. " * 10)
    for beside in data_dir.glob("site.sqlite3-*"):
        beside.unlink()
    assert refusal(data_dir, *command).startswith(f"{data_dir}/site.sqlite3 is not an SQLite database.")


def test_a_file_that_may_not_be_written_to_is_refused(data_dir: Path) -> None:
    (data_dir / "site.sqlite3").chmod(0o400)
    assert "cannot be written to" in refusal(data_dir, *SERVE)


def test_each_fault_of_sqlite_has_its_sentence(data_dir: Path) -> None:
    """Made by SQLite itself: a file that may only be read, and one that somebody else is writing to."""
    path = data_dir / "site.sqlite3"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader:
        assert "cannot be written to" in sentence_of(reader, "CREATE TABLE t (x)")
    with closing(sqlite3.connect(path)) as writer, closing(sqlite3.connect(path, timeout=0)) as waiting:
        writer.execute("BEGIN IMMEDIATE")
        assert "is locked" in sentence_of(waiting, "BEGIN IMMEDIATE")


def sentence_of(database: sqlite3.Connection, statement: str) -> str:
    with pytest.raises(sqlite3.Error) as raised:
        database.execute(statement)
    error = DatabaseError("as Django raises it")
    error.__cause__ = raised.value
    return schema.sentence_of(error)


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql
def test_a_database_that_works_has_no_fault_whatever_a_command_did_to_it() -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")
    assert schema.fault() == ""


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="about PostgreSQL")
def test_migrating_may_take_what_it_takes_and_what_comes_after_may_not() -> None:
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("30s",)

"""Whether the database can be used by this code, told in a sentence to the person who starts the site."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

OURS = "conversations"  # the app whose migrations are this code's own
MADE_BY_US = "must be a file, or not there yet, in a directory that this account may write to"
SQLITE_FAULTS = {
    sqlite3.SQLITE_NOTADB: "is not an SQLite database. Name another file in DATABASE_URL, or move this one away.",
    sqlite3.SQLITE_CORRUPT: "is damaged. Restore it from a backup.",
    sqlite3.SQLITE_CANTOPEN: f"cannot be opened. It {MADE_BY_US}.",
    sqlite3.SQLITE_READONLY: f"cannot be written to. It {MADE_BY_US}.",
    sqlite3.SQLITE_BUSY: "is locked. Another program is writing to it and does not end.",
    sqlite3.SQLITE_FULL: "cannot grow. The disk is full.",
}
PRIMARY = 0xFF  # the part of an SQLite result code without its refinement (sqlite.org/rescode.html)


@contextmanager
def own_connection() -> Iterator[BaseDatabaseWrapper]:
    """Give a connection for the moment: none is left open behind it, and a pool would hide why it cannot connect."""
    probe = connection.copy()
    probe.settings_dict["OPTIONS"].pop("pool", None)
    try:
        yield probe
    finally:
        probe.close()


def fault() -> str:
    """Begin to write to the database and return the sentence that says why this fails; "" where it does not."""
    try:
        with own_connection() as probe, probe.cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE" if probe.vendor == "sqlite" else "BEGIN")
            if probe.vendor == "sqlite":  # where it may only read it began to do that, without a word; closing takes this back
                cursor.execute("PRAGMA user_version = 0")
    except DatabaseError as error:
        return sentence_of(error)
    return ""


def sentence_of(error: DatabaseError) -> str:
    cause = error.__cause__
    if not isinstance(cause, sqlite3.Error):
        return f"The database does not answer: {first_line(error)}"
    code = getattr(cause, "sqlite_errorcode", 0) & PRIMARY
    return f"{connection.settings_dict['NAME']} {SQLITE_FAULTS.get(code, f'cannot be used: {first_line(error)}.')}"


def first_line(error: DatabaseError) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def check() -> None:
    """End the process with a sentence where the database is not of exactly this code's version."""
    check_not_newer()
    with own_connection() as probe:
        executor = MigrationExecutor(probe)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        applied = "1 migration is not applied" if missing == 1 else f"{missing} migrations are not applied"
        sys.exit(f"The database is older than this code: {applied}. Run `python manage.py migrate`, then start again.")
    with own_connection() as probe:
        check_search(probe)


def check_search(probe: BaseDatabaseWrapper) -> None:
    """End the process with a sentence where nothing keeps the search index in step, because a migration was cut off."""
    from conversations.models import search_triggers

    if probe.vendor == "sqlite" and search_triggers.are_missing(probe):
        sys.exit("The search index is not kept in step: a migration was cut off. Run `python manage.py migrate`, then start again.")


def check_not_newer() -> None:
    """End the process with a sentence where the database cannot be used, or a later version, which this code would misread, changed it."""
    if sentence := fault():
        sys.exit(sentence)
    with own_connection() as probe:
        loader = MigrationLoader(probe)
    known = set(loader.disk_migrations) | {old for migration in loader.disk_migrations.values() for old in migration.replaces}
    if unknown := sorted(name for app, name in set(loader.applied_migrations) - known if app == OURS):
        sys.exit(f"The database is newer than this code, which has no migration {unknown[-1]}. Start the version that made it.")

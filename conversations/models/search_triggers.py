"""The triggers by which SQLite keeps its search index in step, whoever changes a message or a title.

Django alters a table of SQLite by making it anew, which loses its triggers and fails for those that name it. So they are dropped before
migrations of ours and made again, with the whole index, after them. PostgreSQL's came with migration 0008 and stay.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from .search_terms import UNSPACED

SEARCHABLE = f"""
SELECT message.id, conversation.owner_id, message.text GLOB '*[{UNSPACED}]*'
FROM conversations_message AS message JOIN conversations_conversation AS conversation ON conversation.id = message.conversation_id
WHERE message.text <> '' AND NOT conversation.is_temporary
"""
TEXT_OF = "FROM conversations_message WHERE id"
ADD_TITLE = "INSERT INTO conversations_titles (rowid, owner_id, title) SELECT NEW.id, NEW.owner_id, NEW.title WHERE NOT NEW.is_temporary"
REMOVE_TITLE = """
INSERT INTO conversations_titles (conversations_titles, rowid, owner_id, title)
SELECT 'delete', OLD.id, OLD.owner_id, OLD.title WHERE NOT OLD.is_temporary
"""
TRIGGERS = {
    # A message stands in the indexes while it has a row in conversations_searchable. FTS5 forgets a text only if it is told which it was.
    "conversations_message_added": f"""AFTER INSERT ON conversations_message
        BEGIN INSERT INTO conversations_searchable {SEARCHABLE} AND message.id = NEW.id; END""",
    "conversations_message_text_leaves": """BEFORE UPDATE OF text ON conversations_message WHEN OLD.text IS NOT NEW.text
        BEGIN DELETE FROM conversations_searchable WHERE message_id = OLD.id; END""",
    "conversations_message_text_comes": f"""AFTER UPDATE OF text ON conversations_message WHEN OLD.text IS NOT NEW.text
        BEGIN INSERT INTO conversations_searchable {SEARCHABLE} AND message.id = NEW.id; END""",
    "conversations_message_removed": """BEFORE DELETE ON conversations_message
        BEGIN DELETE FROM conversations_searchable WHERE message_id = OLD.id; END""",
    "conversations_searchable_added": f"""AFTER INSERT ON conversations_searchable BEGIN
        INSERT INTO conversations_words (rowid, owner_id, text) SELECT id, NEW.owner_id, text {TEXT_OF} = NEW.message_id;
        INSERT INTO conversations_trigrams (rowid, text) SELECT id, text {TEXT_OF} = NEW.message_id AND NEW.is_unspaced; END""",
    "conversations_searchable_removed": f"""BEFORE DELETE ON conversations_searchable BEGIN
        INSERT INTO conversations_words (conversations_words, rowid, owner_id, text)
        SELECT 'delete', id, OLD.owner_id, text {TEXT_OF} = OLD.message_id;
        INSERT INTO conversations_trigrams (conversations_trigrams, rowid, text)
        SELECT 'delete', id, text {TEXT_OF} = OLD.message_id AND OLD.is_unspaced; END""",
    "conversations_temporary_changed": f"""AFTER UPDATE OF is_temporary ON conversations_conversation
        WHEN OLD.is_temporary <> NEW.is_temporary BEGIN
        DELETE FROM conversations_searchable WHERE message_id IN (SELECT id FROM conversations_message WHERE conversation_id = NEW.id);
        INSERT INTO conversations_searchable {SEARCHABLE} AND conversation.id = NEW.id; END""",
    "conversations_title_added": f"AFTER INSERT ON conversations_conversation BEGIN {ADD_TITLE}; END",
    "conversations_title_changed": f"""AFTER UPDATE OF title, is_temporary ON conversations_conversation
        WHEN OLD.title IS NOT NEW.title OR OLD.is_temporary <> NEW.is_temporary BEGIN {REMOVE_TITLE}; {ADD_TITLE}; END""",
    "conversations_title_removed": f"AFTER DELETE ON conversations_conversation BEGIN {REMOVE_TITLE}; END",
}
INDEXES = ("conversations_words", "conversations_trigrams", "conversations_titles")
# Each commit leaves FTS5 a segment. It merges them a little in each commit: with these in one of fifty for 4 ms instead of 15.
MERGING = {"automerge": 16, "crisismerge": 64}
MAKE = (
    "DELETE FROM conversations_searchable",
    *(f"INSERT INTO {index} ({index}) VALUES ('delete-all')" for index in INDEXES),
    *(f"INSERT INTO {index} ({index}, rank) VALUES ('{option}', {value})" for index in INDEXES for option, value in MERGING.items()),
    *(f"CREATE TRIGGER {name} {body}" for name, body in TRIGGERS.items()),
    f"INSERT INTO conversations_searchable {SEARCHABLE}",  # a trigger fills the indexes
    "INSERT INTO conversations_titles (rowid, owner_id, title)"
    " SELECT id, owner_id, title FROM conversations_conversation WHERE NOT is_temporary",
)
DROP = tuple(f"DROP TRIGGER IF EXISTS {name}" for name in TRIGGERS)


def drop(using: str, app_config: Any, plan: Any = (), **_: Any) -> None:
    """Before migrations of ours, on SQLite."""
    if connections[using].vendor == "sqlite" and any(migration.app_label == app_config.label for migration, _ in plan):
        run(connections[using], DROP)


def make(using: str, **_: Any) -> None:
    """After migrations, on SQLite, where any is missing."""
    if connections[using].vendor == "sqlite" and are_missing(connections[using]):
        run(connections[using], (*DROP, *MAKE))


def are_missing(connection: BaseDatabaseWrapper) -> bool:
    """Whether the index of an SQLite database is there, and nothing keeps it in step."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE name = 'conversations_searchable' OR type = 'trigger'")
        names = {name for (name,) in cursor.fetchall()}
    return "conversations_searchable" in names and not names >= TRIGGERS.keys()


def run(connection: BaseDatabaseWrapper, statements: Sequence[str]) -> None:
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)

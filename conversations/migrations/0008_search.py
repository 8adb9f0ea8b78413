"""The search index: of messages and of titles, in the words of each database, kept in step by its triggers.

What SQLite's triggers are stands in `models/search_triggers.py`, because they are made anew after each run of migrations.
"""

from django.db import migrations

UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7a3"
    r"\uf900-\ufaff\U00020000-\U000323af"
)
PUNCTUATION = r"""!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~"""  # of ASCII; the quote is doubled for SQL

SQLITE = [
    "CREATE TABLE conversations_searchable (message_id integer PRIMARY KEY, owner_id integer NOT NULL, is_unspaced integer NOT NULL)",
    "CREATE INDEX conversations_searchable_unspaced ON conversations_searchable (owner_id, message_id) WHERE is_unspaced",
    "CREATE VIRTUAL TABLE conversations_words USING fts5"
    "(owner_id, text, content='', columnsize=0, tokenize='unicode61 remove_diacritics 2')",
    "CREATE VIRTUAL TABLE conversations_trigrams USING fts5(text, content='', columnsize=0, tokenize='trigram')",
    "CREATE VIRTUAL TABLE conversations_titles USING fts5"
    "(owner_id, title, content='', columnsize=0, tokenize='unicode61 remove_diacritics 2')",
]
SQLITE_BACK = [
    "DROP TABLE conversations_titles",
    "DROP TABLE conversations_trigrams",
    "DROP TABLE conversations_words",
    "DROP TABLE conversations_searchable",
]

POSTGRESQL = [
    # Text without accents, each mark of ASCII a space; a run of a script without spaces as its first character, all its pairs, its last one.
    f"""
    CREATE FUNCTION conversations_words(text text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN octet_length(text) = length(text) THEN translate(text, '{PUNCTUATION}', repeat(' ', 32))
    ELSE regexp_replace(regexp_replace(
        translate(normalize(regexp_replace(normalize(text, NFKD), '[\\u0300-\\u036f]', '', 'g'), NFKC), '{PUNCTUATION}', repeat(' ', 32)),
        '([{UNSPACED}]+)', ' \\1 ', 'g'), '([{UNSPACED}])', '\\1 \\1', 'g') END
    $$
    """,
    # No message may fail for being long: a tsvector holds a megabyte, and its words have places up to 16,383.
    """
    CREATE FUNCTION conversations_search_words(owner bigint, text text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
    BEGIN
        RETURN array_to_tsvector(ARRAY['@' || owner]) || to_tsvector('simple', conversations_words(left(text, 100000)));
    EXCEPTION WHEN program_limit_exceeded THEN
        RETURN array_to_tsvector(ARRAY['@' || owner]) || to_tsvector('simple', conversations_words(left(text, 20000)));
    END $$
    """,
    "CREATE TABLE conversations_searchable (message_id bigint PRIMARY KEY, words tsvector NOT NULL)",
    "CREATE TABLE conversations_searchable_title (conversation_id bigint PRIMARY KEY, words tsvector NOT NULL)",
    """
    CREATE FUNCTION conversations_message_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            DELETE FROM conversations_searchable WHERE message_id = OLD.id;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO conversations_searchable
            SELECT NEW.id, conversations_search_words(conversation.owner_id, NEW.text) FROM conversations_conversation AS conversation
            WHERE conversation.id = NEW.conversation_id AND NEW.text <> '' AND NOT conversation.is_temporary;
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION conversations_title_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            DELETE FROM conversations_searchable_title WHERE conversation_id = OLD.id;
        END IF;
        IF TG_OP <> 'DELETE' AND NOT NEW.is_temporary THEN
            INSERT INTO conversations_searchable_title VALUES (NEW.id, conversations_search_words(NEW.owner_id, NEW.title));
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION conversations_temporary_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM conversations_searchable USING conversations_message AS message
        WHERE message_id = message.id AND message.conversation_id = NEW.id;
        INSERT INTO conversations_searchable
        SELECT id, conversations_search_words(NEW.owner_id, text) FROM conversations_message
        WHERE conversation_id = NEW.id AND text <> '' AND NOT NEW.is_temporary;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION conversations_all_gone() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE format('TRUNCATE %I', TG_ARGV[0]);
        RETURN NULL;
    END $$
    """,
    """
    INSERT INTO conversations_searchable
    SELECT message.id, conversations_search_words(conversation.owner_id, message.text)
    FROM conversations_message AS message JOIN conversations_conversation AS conversation ON conversation.id = message.conversation_id
    WHERE message.text <> '' AND NOT conversation.is_temporary
    """,
    """
    INSERT INTO conversations_searchable_title
    SELECT id, conversations_search_words(owner_id, title) FROM conversations_conversation WHERE NOT is_temporary
    """,
    "CREATE INDEX conversations_searchable_words ON conversations_searchable USING gin (words) WITH (gin_pending_list_limit = 256)",
    "CREATE INDEX conversations_searchable_title_words ON conversations_searchable_title USING gin (words)",
    """
    CREATE TRIGGER conversations_message_changed AFTER INSERT OR DELETE OR UPDATE OF text ON conversations_message
    FOR EACH ROW EXECUTE FUNCTION conversations_message_changed()
    """,
    """
    CREATE TRIGGER conversations_title_changed AFTER INSERT OR DELETE OR UPDATE OF title, is_temporary ON conversations_conversation
    FOR EACH ROW EXECUTE FUNCTION conversations_title_changed()
    """,
    """
    CREATE TRIGGER conversations_temporary_changed AFTER UPDATE OF is_temporary ON conversations_conversation
    FOR EACH ROW WHEN (OLD.is_temporary IS DISTINCT FROM NEW.is_temporary) EXECUTE FUNCTION conversations_temporary_changed()
    """,
    """
    CREATE TRIGGER conversations_messages_gone AFTER TRUNCATE ON conversations_message
    FOR EACH STATEMENT EXECUTE FUNCTION conversations_all_gone('conversations_searchable')
    """,
    """
    CREATE TRIGGER conversations_titles_gone AFTER TRUNCATE ON conversations_conversation
    FOR EACH STATEMENT EXECUTE FUNCTION conversations_all_gone('conversations_searchable_title')
    """,
]
POSTGRESQL_BACK = [
    "DROP TRIGGER conversations_titles_gone ON conversations_conversation",
    "DROP TRIGGER conversations_messages_gone ON conversations_message",
    "DROP TRIGGER conversations_temporary_changed ON conversations_conversation",
    "DROP TRIGGER conversations_title_changed ON conversations_conversation",
    "DROP TRIGGER conversations_message_changed ON conversations_message",
    "DROP FUNCTION conversations_all_gone, conversations_temporary_changed, conversations_title_changed, conversations_message_changed",
    "DROP TABLE conversations_searchable_title, conversations_searchable",
    "DROP FUNCTION conversations_search_words, conversations_words",
]


def run(schema_editor, statements):
    with schema_editor.connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def forwards(apps, schema_editor):
    run(schema_editor, POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE)


def backwards(apps, schema_editor):
    run(schema_editor, POSTGRESQL_BACK if schema_editor.connection.vendor == "postgresql" else SQLITE_BACK)


class Migration(migrations.Migration):
    dependencies = [("conversations", "0007_former_settings")]

    operations = [migrations.RunPython(forwards, backwards, elidable=False)]

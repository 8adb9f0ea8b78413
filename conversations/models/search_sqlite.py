"""Full-text search of SQLite: FTS5 by words, and by trigrams for messages in scripts that put no spaces between words.

A run of such a script, or a word beside one, is looked for as a part among the trigrams. Parts shorter than three characters are not in
them: they are looked for in the text, and where nothing else narrows the search only in the newest such messages.
"""

from collections.abc import Sequence

from django.db import connection

from .search_terms import Term, Terms

TRIGRAM = 3
NEWEST = 20_000  # messages that are read for a part too short for the index
# SQLite takes tables joined by CROSS JOIN in the order in which they stand: the index first, newest first, and no further than the limit.
THEIRS = """
CROSS JOIN conversations_message AS message ON message.id = found.rowid AND message.deleted_at IS NULL
CROSS JOIN conversations_conversation AS conversation ON conversation.id = message.conversation_id
    AND conversation.owner_id = %s AND conversation.deleted_at IS NULL AND NOT conversation.is_temporary
"""
NEWEST_FIRST = "ORDER BY found.rowid DESC LIMIT %s"
WORDS = f"""
SELECT found.rowid FROM conversations_words AS found {THEIRS}
WHERE conversations_words MATCH %s AND found.rowid < %s{{more}} {NEWEST_FIRST}
"""
TRIGRAMS = f"""
SELECT found.rowid FROM conversations_trigrams AS found {THEIRS}
WHERE conversations_trigrams MATCH %s AND found.rowid < %s{{more}} {NEWEST_FIRST}
"""
NEWEST_TEXTS = f"""
SELECT found.rowid FROM (
    SELECT message_id AS rowid FROM conversations_searchable INDEXED BY conversations_searchable_unspaced
    WHERE owner_id = %s AND is_unspaced AND message_id < %s ORDER BY message_id DESC LIMIT {NEWEST}
) AS found {THEIRS} WHERE true{{more}} {NEWEST_FIRST}
"""
THEIR_TITLES = """
conversation.owner_id = %s AND conversation.deleted_at IS NULL AND NOT conversation.is_temporary{more}
ORDER BY conversation.updated_at DESC, conversation.id DESC LIMIT %s
"""
TITLE_WORDS = f"""
SELECT conversation.id FROM conversations_titles AS found
CROSS JOIN conversations_conversation AS conversation ON conversation.id = found.rowid
WHERE conversations_titles MATCH %s AND {THEIR_TITLES}
"""
TITLE_PARTS = f"SELECT conversation.id FROM conversations_conversation AS conversation WHERE {THEIR_TITLES}"


class Index:
    @staticmethod
    def messages(owner: int, terms: Terms, before: int, most: int) -> list[int]:
        """The keys of messages, newest first."""
        found = set(by_parts(owner, terms, before, most))
        if not any(term.is_run for term in terms.wanted):
            found.update(by_words(owner, terms, before, most))
        return sorted(found, reverse=True)[:most]

    @staticmethod
    def titles(owner: int, terms: Terms, most: int) -> list[int]:
        if not any(term.is_run for term in (*terms.wanted, *terms.excluded)):
            return keys(TITLE_WORDS.format(more=""), [words_query(owner, terms, "title"), owner, most])
        more, params = conditions("title", terms.wanted, terms.excluded)
        return keys(TITLE_PARTS.format(more=more), [owner, *params, most])


def by_words(owner: int, terms: Terms, before: int, most: int) -> list[int]:
    more, params = conditions("message.text", [], [term for term in terms.excluded if term.is_run])
    return keys(WORDS.format(more=more), [owner, words_query(owner, terms, "text"), before, *params, most])


def by_parts(owner: int, terms: Terms, before: int, most: int) -> list[int]:
    """Messages in scripts without spaces that hold the terms as parts of words."""
    indexed = [term for term in terms.wanted if len(term.text) >= TRIGRAM]
    if not indexed and not any(term.is_run for term in terms.wanted):
        return []
    short = [term for term in terms.wanted if len(term.text) < TRIGRAM]
    more, params = conditions("message.text", short, terms.excluded)
    if not indexed:
        return keys(NEWEST_TEXTS.format(more=more), [owner, before, owner, *params, most])
    match = " AND ".join(quoted(term) for term in indexed)
    return keys(TRIGRAMS.format(more=more), [owner, match, before, *params, most])


def conditions(column: str, wanted: Sequence[Term], excluded: Sequence[Term]) -> tuple[str, list[str]]:
    """Return SQL that looks for parts in a column, letters of ASCII in either case, and its parameters."""
    sql = f" AND instr(lower({column}), lower(%s)) > 0" * len(wanted) + f" AND instr(lower({column}), lower(%s)) = 0" * len(excluded)
    return sql, [term.text for term in (*wanted, *excluded)]


def words_query(owner: int, terms: Terms, column: str) -> str:
    """Return an expression of FTS5 in which all that was typed stands in quotes (sqlite.org/fts5.html, 3)."""
    wanted = " AND ".join(quoted(term) + (" *" if term.is_beginning else "") for term in terms.wanted)
    query = f'owner_id : "{owner:d}" AND {column} : ({wanted})'
    excluded = " OR ".join(quoted(term) for term in terms.excluded if not term.is_run)
    return f"({query}) NOT {column} : ({excluded})" if excluded else query


def quoted(term: Term) -> str:
    return '"' + term.text.replace('"', '""') + '"'


def keys(sql: str, params: Sequence[int | str]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [key for (key,) in cursor.fetchall()]

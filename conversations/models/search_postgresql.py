"""Full-text search of PostgreSQL. A row holds the words of a message and, as one more word, whose it is.

Accents, case and punctuation are gone from the words (`conversations_words`, migration 0008). A run of a script without spaces is
there as all its pairs of characters, so two characters are one look-up, one is the beginning of a pair, and more are pairs in a row.
"""

import unicodedata
from collections.abc import Sequence

from django.db import OperationalError, connection, transaction

from .search_terms import Term, Terms, TooSlow

# A table that is read from its one end to the other holds other people's messages. A search that takes seconds is given up.
BOUNDED = "SELECT set_config('enable_seqscan', 'off', true), set_config('statement_timeout', %s, true)"
LIMIT = "5s"
QUERY_CANCELED = "57014"  # the SQLSTATE
MESSAGES = """
SELECT message.id FROM (
    SELECT message_id FROM conversations_searchable WHERE words @@ ({query}) AND message_id < %s ORDER BY message_id DESC OFFSET 0
) AS found
JOIN conversations_message AS message ON message.id = found.message_id
JOIN conversations_conversation AS conversation ON conversation.id = message.conversation_id
WHERE conversation.owner_id = %s AND conversation.deleted_at IS NULL AND NOT conversation.is_temporary AND message.deleted_at IS NULL
ORDER BY found.message_id DESC LIMIT %s
"""
TITLES = """
SELECT conversation.id FROM conversations_searchable_title AS found
JOIN conversations_conversation AS conversation ON conversation.id = found.conversation_id
WHERE words @@ ({query}) AND conversation.owner_id = %s AND conversation.deleted_at IS NULL AND NOT conversation.is_temporary
ORDER BY conversation.updated_at DESC, conversation.id DESC LIMIT %s
"""
WORDS = "phraseto_tsquery('simple', conversations_words(%s))"
BEGINNING = "to_tsquery('simple', '''' || conversations_words(%s) || ''':*')"
PAIRS = "phraseto_tsquery('simple', %s)"
ONE_CHARACTER = "to_tsquery('simple', '''' || %s || ''':*')"


class Index:
    @staticmethod
    def messages(owner: int, terms: Terms, before: int, most: int) -> list[int]:
        """The keys of messages, newest first."""
        query, params = query_of(owner, terms)
        return keys(MESSAGES.format(query=query), [*params, before, owner, most])

    @staticmethod
    def titles(owner: int, terms: Terms, most: int) -> list[int]:
        query, params = query_of(owner, terms)
        return keys(TITLES.format(query=query), [*params, owner, most])


def keys(sql: str, params: Sequence[int | str], limit: str = LIMIT) -> list[int]:
    """Return the keys that a search finds. Raises TooSlow where it takes longer than the limit."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(BOUNDED, [limit])
            cursor.execute(sql, params)
            return [key for (key,) in cursor.fetchall()]
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == QUERY_CANCELED:
            raise TooSlow from error
        raise


def query_of(owner: int, terms: Terms) -> tuple[str, list[str]]:
    """Return SQL for a tsquery, and its parameters."""
    wanted = [part(term) for term in terms.wanted]
    excluded = [part(term) for term in terms.excluded]
    sql = " && ".join(["%s::tsquery", *(sql for sql, _ in wanted), *(f"!!{sql}" for sql, _ in excluded)])
    return sql, [f"'@{owner}'", *(text for _, text in wanted), *(text for _, text in excluded)]


def part(term: Term) -> tuple[str, str]:
    if not term.is_run:
        return (BEGINNING if term.is_beginning else WORDS), term.text
    run = unicodedata.normalize("NFKC", term.text)
    pairs = [run[place : place + 2] for place in range(len(run) - 1)]
    return (PAIRS, " ".join(pairs)) if pairs else (ONE_CHARACTER, run)

"""What is PostgreSQL's own in searching: a search that would take for ever is given up, and the connection goes on."""

import pytest
from django.db import connection

from conversations.models.search_postgresql import keys
from conversations.models.search_terms import TooSlow

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="about PostgreSQL"),
]


def test_a_search_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(TooSlow):
        keys("SELECT 1 FROM pg_sleep(5)", [], limit="50ms")
    assert keys("SELECT 7 FROM pg_sleep(0.06)", []) == [7]


def test_what_a_search_sets_ends_with_it() -> None:
    keys("SELECT 1", [])
    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_seqscan")
        assert cursor.fetchone() == ("on",)
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("30s",)

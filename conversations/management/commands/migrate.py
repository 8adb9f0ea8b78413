"""Django's `migrate`, without the time-outs that a server's statements have: an index on a large table takes what it takes."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

TIME_OUTS = ("statement_timeout", "idle_in_transaction_session_timeout")


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> str | None:
        connection = connections[options["database"]]
        if connection.vendor != "postgresql":
            return super().handle(*args, **options)
        with connection.cursor() as cursor:
            for name in TIME_OUTS:
                cursor.execute(f"SET {name} = 0")
            try:
                return super().handle(*args, **options)
            finally:
                for name in TIME_OUTS:
                    cursor.execute(f"RESET {name}")

"""`python -m chatsite COMMAND`: the management commands, where a bad setting or database is one sentence instead of a traceback."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
    from django.conf import settings

    from chatsite import private

    try:
        if sys.argv[1:2] != ["makemigrations"]:  # it writes into the code
            private.keep_all()
        if not os.access(settings.DATA_DIR, os.W_OK):
            sys.exit(f"DATA_DIR={settings.DATA_DIR} cannot be written to.")
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"DATA_DIR cannot be used: {error.filename}: {error.strerror}.")
    execute()


def execute() -> None:
    """Run the command. One that fails because of the database says what is wrong with it; any other error keeps its traceback."""
    from chatsite import schema

    try:
        execute_from_command_line(["manage.py", *sys.argv[1:]])
    except DatabaseError:
        if sentence := schema.fault():
            sys.exit(sentence)
        raise


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:  # before the command is up that would say more
        sys.exit(130)

"""`python -m chatsite COMMAND`: the management commands, where a bad setting is one sentence instead of a traceback."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
    from django.conf import settings

    try:
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        if not os.access(settings.DATA_DIR, os.W_OK):
            sys.exit(f"DATA_DIR={settings.DATA_DIR} cannot be written to.")
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"DATA_DIR cannot be used: {error.filename}: {error.strerror}.")
    execute_from_command_line(["manage.py", *sys.argv[1:]])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:  # before the command is up that would say more
        sys.exit(130)

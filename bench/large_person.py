"""Make the person with very many conversations in the site's database; run as `python -m bench.large_person` with its environment.

Prints the session key, the number of the longest conversation and those of its messages, and the numbers of the models by their ids.
"""

import json
import os
from io import StringIO

import django

from .prepare import sign_in

NAME = "large"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection

    call_command("make_large", NAME, stdout=StringIO())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # what PostgreSQL does by itself within minutes
    owner = User.objects.get(username=NAME)
    longest = owner.conversations.latest("updated_at")
    keys = list(longest.messages.order_by("pk").values_list("pk", flat=True))
    print(json.dumps({"session": sign_in(owner), "longest": longest.pk, "messages": keys}))


if __name__ == "__main__":
    main()

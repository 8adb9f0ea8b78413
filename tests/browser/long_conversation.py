"""Give somebody a long conversation: `python -m tests.browser.long_conversation NAME COUNT` prints its path. In the site's environment."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")


def main(name: str, count: str) -> None:
    django.setup()
    from django.contrib.auth.models import User
    from django.db import transaction

    from tests.factories import make_conversation, make_path

    with transaction.atomic():
        conversation = make_conversation(User.objects.get(username=name))
        make_path(conversation, int(count))
    print(f"/conversations/{conversation.pk}", end="")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Give a person of a site many conversations: `python -m tests.browser.many dora 120`. Runs as people.py does."""

import os
import sys
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")


def main(username: str, amount: int) -> None:
    django.setup()
    from django.contrib.auth.models import User
    from django.utils import timezone

    from conversations.models import Conversation

    owner, now = User.objects.get(username=username), timezone.now()
    Conversation.objects.bulk_create(
        Conversation(owner=owner, title=f"Number {n:03}", updated_at=now - timedelta(hours=n + 1)) for n in range(amount)
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

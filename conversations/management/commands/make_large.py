"""Make a person with very many conversations, one of them very long: for trying the site and for `python -m bench --only large`."""

from argparse import ArgumentParser
from datetime import timedelta
from itertools import count
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.utils import timezone

from conversations.management.invented import Rows, Writer
from conversations.models import Conversation, Generation, LanguageModel, Message, Usage

AT_ONCE = 500  # conversations that are held in memory
YEARS = 3


class Command(BaseCommand):
    help = "Create an account with 10,000 conversations, one of 5,000 messages, 100,000 messages in all. It has no password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", nargs="?", default="large")
        parser.add_argument("--conversations", type=int, default=10_000)
        parser.add_argument("--messages", type=int, default=100_000, help="in all")
        parser.add_argument("--longest", type=int, default=5_000, help="messages of the longest conversation, which is the last used")
        parser.add_argument("--seed", type=int, default=1)

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        model = LanguageModel.objects.default()
        if model is None:
            raise CommandError("There is no model yet: run `manage.py setup`, or add one in the admin.")
        owner, is_new = User.objects.get_or_create(username=options["username"])
        if not is_new:
            raise CommandError(f"The account {owner.username} is there already: name another one.")
        self.make(owner, model, turns_of_each(options["conversations"], options["messages"], options["longest"]), options["seed"])
        reset_keys(Conversation, Message, Generation)
        self.stdout.write(f"{owner.username}: the longest is /conversations/{owner.conversations.latest('updated_at').pk}")

    def make(self, owner: User, model: LanguageModel, turns: list[int], seed: int) -> None:
        """Create conversations of so many turns each, the last one the newest. Keys are given here, so that no row is written twice."""
        writer, now, apart = Writer(seed), timezone.now(), timedelta(days=365 * YEARS) / len(turns)
        keys, conversation_keys = count(next_key(Message, Generation)), count(next_key(Conversation))
        for start in range(0, len(turns), AT_ONCE):
            rows = Rows(owner.pk, model, writer)
            for place in range(start, min(start + AT_ONCE, len(turns))):
                rows.add(next(conversation_keys), keys, turns[place], now - apart * (len(turns) - 1 - place))
            write(rows)


def turns_of_each(conversations: int, messages: int, longest: int) -> list[int]:
    """Return the turns of each conversation, at least one; the last is the longest."""
    others = max(conversations - 1, 0)
    left = max((messages - longest) // 2 - others, 0)
    share, more = divmod(left, others) if others else (0, 0)
    return [1 + share + (place < more) for place in range(others)] + [longest // 2]


def write(rows: Rows) -> None:
    heads = [conversation.head_id for conversation in rows.conversations]
    for conversation in rows.conversations:
        conversation.head_id = None
    Conversation.objects.bulk_create(rows.conversations)
    Message.objects.bulk_create(rows.messages)
    Generation.objects.bulk_create(rows.generations)
    Usage.objects.bulk_create(rows.usages)
    for conversation, head in zip(rows.conversations, heads, strict=True):
        conversation.head_id = head
    Conversation.objects.bulk_update(rows.conversations, ["head"], batch_size=AT_ONCE)


def next_key(*tables: type[models.Model]) -> int:
    return 1 + max(table._default_manager.aggregate(last=models.Max("pk"))["last"] or 0 for table in tables)


def reset_keys(*tables: type[models.Model]) -> None:
    """Let the database go on behind the keys that were given."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(tables)):
            cursor.execute(statement)

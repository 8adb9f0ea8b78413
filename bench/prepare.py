"""Fill the site's database for a measurement: the fake provider, its models, people who are signed in, and their conversations.

Run as `python -m bench.prepare ORDER` with the site's environment, ORDER in JSON: "provider" (its URL), "models" (their ids), "people"
(how many) and "histories" (turns → how many conversations so long). Prints the primary keys of the models, the session keys, and
by turns the conversations, the first person's first. It adds rows and never looks at those that are there.
"""

import json
import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import django

CONTEXT_WINDOW = 1_000_000  # tokens: no history of a measurement is trimmed
QUESTION = "And how does that change when the cache sits in another country than the people who read from it?"
ANSWER = "\n\n".join(["It depends on what you can bear to be *late*: a copy that is a minute old costs nothing to serve. " * 2] * 3)


def models_of(base_url: str, model_ids: Sequence[str]) -> dict[str, int]:
    """Return the primary key of a new model for each model id."""
    from conversations.models import LanguageModel, Protocol, Provider

    name = f"bench {os.getpid()}"
    provider = Provider.objects.create(
        name=name, slug=name.replace(" ", "-"), protocol=Protocol.OPENAI_CHAT, base_url=base_url, api_key="none"
    )
    models = LanguageModel.objects
    return {
        model_id: models.create(provider=provider, model_id=model_id, name=model_id, context_window=CONTEXT_WINDOW).pk
        for model_id in model_ids
    }


def new_people(count: int) -> list[Any]:
    from django.contrib.auth.models import User

    names = [f"bench-{os.getpid()}-{number}" for number in range(count)]
    return User.objects.bulk_create(User(username=name) for name in names)


def sign_in(user: Any) -> str:
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def conversation_of(user: Any, turns: int, model: int) -> int:
    """Return the key of a new conversation of so many finished turns."""
    from conversations.models import Conversation, Generation, Message, Role, Status

    conversation = Conversation.objects.create(owner=user, title=f"{turns} turns", model_id=model)
    roles = [(Role.USER, QUESTION), (Role.ASSISTANT, ANSWER)] * turns
    path = Message.objects.bulk_create(Message(conversation=conversation, role=role, text=text) for role, text in roles)
    for parent, message in pairwise(path):
        message.parent = parent
    Message.objects.bulk_update(path[1:], ["parent"], batch_size=100)
    Generation.objects.bulk_create(
        Generation(message=answer, model_id=model, model_name="bench", status=Status.COMPLETE) for answer in path[1::2]
    )
    Conversation.objects.filter(pk=conversation.pk).update(head=path[-1])
    return conversation.pk


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
    django.setup()
    from django.db import transaction

    order = json.loads(sys.argv[1])
    with transaction.atomic():
        models, people = models_of(order["provider"], order["models"]), new_people(order["people"])
        model = next(iter(models.values()))
        histories = {
            turns: [conversation_of(user, int(turns), model) for user in people[:count]] for turns, count in order["histories"].items()
        }
        print(json.dumps({"models": models, "sessions": [sign_in(user) for user in people], "histories": histories}))


if __name__ == "__main__":
    main()

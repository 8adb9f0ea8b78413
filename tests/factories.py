"""Plain factory functions: each makes one thing that is whole, and takes what the test is about as keywords."""

import functools
import itertools
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission, User

from conversations.models import (
    Conversation,
    Folder,
    Generation,
    LanguageModel,
    Message,
    Price,
    Protocol,
    Provider,
    Role,
    Status,
    Turn,
    start_conversation,
    start_turn,
)
from conversations.models.prices import KINDS

PASSWORD = "correct horse battery staple"
numbers = itertools.count(1)


@functools.cache
def hashed_password() -> str:
    """Hashed once: a hash is slow on purpose."""
    return make_password(PASSWORD)


def make_user(username: str = "", *, permissions: tuple[str, ...] = (), **fields: Any) -> User:
    """`permissions` are codenames, for example "view_provider"; log in with PASSWORD or `client.force_login`."""
    user = User.objects.create(username=username or f"user{next(numbers)}", password=hashed_password(), **fields)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def make_group(name: str = "", *people: User) -> Group:
    group = Group.objects.create(name=name or f"Group {next(numbers)}")
    group.user_set.set(people)
    return group


def make_provider(**fields: Any) -> Provider:
    number = next(numbers)
    return Provider.objects.create(**{"name": f"Provider {number}", "slug": f"provider-{number}", "protocol": Protocol.ECHO} | fields)


def make_model(provider: Provider | None = None, **fields: Any) -> LanguageModel:
    """With prices among its fields it has them since long ago."""
    number = next(numbers)
    names = {"model_id": f"model-{number}", "name": f"Model {number}"}
    prices = {kind: Decimal(fields.pop(kind)) for kind in KINDS if kind in fields}
    model = LanguageModel.objects.create(provider=provider or make_provider(), **names | fields)
    if prices:
        make_price(model, **prices)
    return model


def make_price(model: LanguageModel, **fields: Any) -> Price:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    return Price.objects.create(**{"model": model, "valid_from": long_ago, "input_price": 0, "output_price": 0} | fields)


def make_turn(conversation: Conversation | None = None, prompt: str = "Why is the sky blue?", **how: Any) -> Turn:
    """A prompt and its queued answer; `model`, and without a conversation `owner`, may be given."""
    model = how.get("model") or (conversation and conversation.model) or make_model()
    if conversation is not None:
        return start_turn(conversation, prompt, model, uuid.uuid4())
    return start_conversation(how.get("owner") or make_user(), prompt, model, uuid.uuid4())


def make_conversation(owner: User | None = None, **fields: Any) -> Conversation:
    """A conversation without a turn."""
    return Conversation.objects.create(**{"owner": owner or make_user(), "title": f"Conversation {next(numbers)}"} | fields)


def make_folder(owner: User | None = None, **fields: Any) -> Folder:
    return Folder.objects.create(**{"owner": owner or make_user(), "name": f"Folder {next(numbers)}"} | fields)


def make_path(conversation: Conversation, count: int, parent: Message | None = None) -> list[Message]:
    """So many ended messages behind `parent`, prompts and answers in turn; the last one becomes the head."""
    path: list[Message] = []
    for number in range(count):
        role = Role.USER if number % 2 == 0 else Role.ASSISTANT
        parent = Message.objects.create(conversation=conversation, parent=parent, role=role, text=f"{role} text {number}")
        path.append(parent)
    answers = [message for message in path if message.role == Role.ASSISTANT]
    Generation.objects.bulk_create(Generation(message=answer, model_name="Model", status=Status.COMPLETE) for answer in answers)
    conversation.head = parent
    conversation.save(update_fields=["head"])
    return path

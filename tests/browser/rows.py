"""Fill a site with rows of all that the admin shows: `python -m tests.browser.rows`. Runs in the site's environment, as people.py does."""

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")


def main() -> None:
    django.setup()
    from django.contrib.auth.models import User
    from django.db import transaction

    with transaction.atomic():
        enter_in_the_history(User.objects.get(username="carol"))


def enter_in_the_history(staff: Any) -> None:
    from django.contrib.admin.models import ADDITION, CHANGE, LogEntry

    for row in [*rows_of_the_catalog(), *rows_of_the_record(), *rows_of_files_and_links(), *rows_of_people(staff)]:
        for flag in (ADDITION, CHANGE):
            LogEntry.objects.log_actions(staff.pk, [row], flag, single_object=True)  # type: ignore[attr-defined]


def rows_of_the_catalog() -> list[object]:
    from conversations.models import LanguageModel, Provider, SavedPrompt, SystemPrompt

    prompt = SystemPrompt.objects.create(name="Kind")
    prompt.add_version("Be kind.")
    prompt.add_version("Be kind and brief.")
    shared = SavedPrompt.objects.create(command="translate", text="Translate into {{language}}:")
    return [prompt, shared, *Provider.objects.all(), *LanguageModel.objects.all()]


def rows_of_the_record() -> list[object]:
    """An answer that has failed: the site leaves it as it is."""
    from conversations.models import (
        Budget,
        BudgetPeriod,
        Conversation,
        Generation,
        JournalEntry,
        LanguageModel,
        Message,
        Share,
        Status,
        Usage,
        rate,
    )
    from tests.factories import make_turn

    model = LanguageModel.objects.latest("pk")
    budget = Budget.objects.create(token_limit=10**9, cost_limit=10)
    generation = make_turn(model=model).generation
    JournalEntry.objects.create(generation=generation, position=1, kind="text", data="Because of")
    Generation.objects.update(status=Status.FAILED, error_code="rate_limited", error_detail="429 Too Many Requests")
    usage = Usage(generation=generation, input_tokens=1)
    usage.take_prices(model)
    usage.save()
    feedback = rate(generation.message, -1, "It is <b>wrong</b>.")
    conversation = generation.message.conversation
    shared = Share.objects.create(conversation=conversation, title="Shared", head=generation.message)
    return [shared, budget, *BudgetPeriod.objects.all(), generation, usage, feedback, *Message.objects.all(), *Conversation.objects.all()]


def rows_of_files_and_links() -> list[object]:
    from conversations.models import Conversation, Import, Share

    conversation = Conversation.objects.latest("pk")
    link = Share.objects.create(conversation=conversation, title=conversation.title, head=conversation.messages.latest("pk"))
    told = [{"file": "conversations.json", "number": 1, "line": 1, "title": "", "reason": "There is no message in it."}]
    file = Import.objects.create(owner=conversation.owner, file_name="conversations.json", refused=1, problems=told)
    return [link, file]


def rows_of_people(staff: Any) -> list[object]:
    from allauth.account.models import EmailAddress
    from django.contrib.auth.models import Group

    from conversations.models import Scope, make_token

    address = EmailAddress.objects.create(user=staff, email="carol@example.org", primary=True)
    token, _ = make_token(staff, "A script", [Scope.READ], None)
    return [staff, address, token, staff.imports.create(file_name="all.zip"), Group.objects.create(name="Editors")]


if __name__ == "__main__":
    main()

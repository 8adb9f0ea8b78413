"""Saved prompts for everybody: staff keep them here, and see nothing of what people keep for themselves."""

import pytest
from django.test import Client
from django.urls import reverse

from conversations.models import SavedPrompt
from tests.factories import make_user

ADD, LIST = reverse("admin:conversations_savedprompt_add"), reverse("admin:conversations_savedprompt_changelist")


def test_what_staff_add_is_for_everybody(root: Client) -> None:
    assert root.post(ADD, {"command": "/Brief", "text": "Be brief."}).status_code == 302
    prompt = SavedPrompt.objects.get()
    assert (prompt.owner, prompt.command) == (None, "brief")
    assert "/brief" in root.get(LIST).content.decode()


def test_nobodys_own_prompts_are_shown(root: Client) -> None:
    own = SavedPrompt.objects.create(owner=make_user(), command="secret", text="secret")
    assert "secret" not in root.get(LIST).content.decode()
    assert root.get(reverse("admin:conversations_savedprompt_change", args=[own.pk])).status_code == 302


@pytest.mark.parametrize(("command", "text"), [("brief", "again"), ("two words", "x"), ("new", " ")])
def test_what_people_may_not_save_staff_may_not_either(root: Client, command: str, text: str) -> None:
    SavedPrompt.objects.create(command="brief", text="Be brief.")
    assert root.post(ADD, {"command": command, "text": text}).status_code == 200
    assert SavedPrompt.objects.count() == 1

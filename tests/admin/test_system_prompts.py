from typing import Any

from django.test import Client
from django.urls import reverse

from conversations.models import SystemPrompt
from tests.factories import make_user

NO_INLINES = {"versions-TOTAL_FORMS": 0, "versions-INITIAL_FORMS": 0}


def make_prompt(name: str = "Kind", text: str = "Be kind.", **fields: Any) -> SystemPrompt:
    prompt = SystemPrompt.objects.create(name=name, **fields)
    prompt.add_version(text)
    return prompt


def change(prompt: SystemPrompt) -> str:
    return reverse("admin:conversations_systemprompt_change", args=[prompt.pk])


def texts(prompt: SystemPrompt) -> list[str]:
    return list(prompt.versions.order_by("number").values_list("text", flat=True))


def test_a_new_prompt_begins_with_its_first_version(root: Client) -> None:
    form = {"name": "Kind", "text": "Be kind."} | NO_INLINES
    assert root.post(reverse("admin:conversations_systemprompt_add"), form).status_code == 302
    assert texts(SystemPrompt.objects.get()) == ["Be kind."]


def test_editing_the_text_adds_a_version_and_the_same_text_adds_none(root: Client) -> None:
    prompt = make_prompt(text="Be\nkind.")
    for text in ("Be\r\nkind.", "Be brief.", "Be brief."):
        assert root.post(change(prompt), {"name": "Kind", "text": text} | NO_INLINES).status_code == 302
    assert texts(prompt) == ["Be\nkind.", "Be brief."]


def test_old_versions_are_shown_and_cannot_be_altered(root: Client) -> None:
    prompt = make_prompt(text="Be verbose.")
    prompt.add_version("Be brief.")
    body = root.get(change(prompt)).content.decode()
    assert "Be verbose." in body
    assert "Be brief." in body
    forged = {"versions-TOTAL_FORMS": 1, "versions-INITIAL_FORMS": 1, "versions-0-id": prompt.versions.last().pk}  # type: ignore[union-attr]
    root.post(change(prompt), {"name": "Kind", "text": "Be brief.", "versions-0-text": "Forged.", "versions-0-DELETE": "on"} | forged)
    assert texts(prompt) == ["Be verbose.", "Be brief."]


def test_marking_another_default_moves_the_mark(root: Client) -> None:
    make_prompt(is_default=True)
    new = make_prompt("Brief", "Be brief.")
    root.post(change(new), {"name": "Brief", "text": "Be brief.", "is_default": "on"} | NO_INLINES)
    assert list(SystemPrompt.objects.filter(is_default=True)) == [new]


def test_who_may_only_look_reads_the_text(client: Client, db: None) -> None:
    prompt = make_prompt()
    client.force_login(make_user(is_staff=True, permissions=("view_systemprompt",)))
    assert "Be kind." in client.get(change(prompt)).content.decode()

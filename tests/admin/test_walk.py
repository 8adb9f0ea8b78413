"""Every page of the admin, as everyone: found from the registry, so a new page is walked without being named here."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from conversations.models import (
    ApiToken,
    Budget,
    BudgetPeriod,
    Conversation,
    Feedback,
    Generation,
    Import,
    LanguageModel,
    Message,
    Provider,
    Scope,
    Share,
    SystemPrompt,
    Usage,
    make_token,
    rate,
)
from tests.factories import make_model, make_provider, make_turn, make_user

SECRET = "sk-walk-3f9c1b7e5d"
RECORDS = [ApiToken, Conversation, Message, Generation, Usage, Feedback, Share, Import, BudgetPeriod]
OURS = [Provider, LanguageModel, SystemPrompt, Budget, *RECORDS]


class InlineCode(HTMLParser):
    """Collects what a policy of default-src 'self' would block."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_inline = tag == "style" or (tag == "script" and "src" not in given)
        if is_inline or "style" in given or any(name.startswith("on") for name in given):
            self.found.append(self.get_starttag_text() or tag)


def make_one_of_each() -> None:
    provider = make_provider(api_key=SECRET)
    model = make_model(provider)
    Budget.objects.create(token_limit=1_000_000)
    turn = make_turn(model=model)
    usage = Usage(generation=turn.generation, input_tokens=1)
    usage.take_prices(model)
    usage.save()
    rate(turn.answer, -1, "It was wrong.")
    Share.objects.create(conversation=turn.conversation, title="Shared", head=turn.answer, token=SECRET)
    told = {"file": "a.json", "number": 1, "line": 1, "title": SECRET, "reason": "There is no message in it."}
    Import.objects.create(owner=turn.conversation.owner, file_name="conversations.json", problems=[told], cuts=[told])
    make_token(turn.conversation.owner, "A script", [Scope.READ], None)
    SystemPrompt.objects.create(name="Kind").add_version("Be kind.")


def pages() -> list[tuple[str, str]]:
    """The name and address of each list, add and change page there is a row for."""
    found = [("index", reverse("admin:index"))]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found += [("list", reverse(f"{name}_changelist")), ("add", reverse(f"{name}_add"))]
        row = model._default_manager.first()
        found += [(kind, reverse(f"{name}_{kind}", args=[row.pk])) for kind in ("change", "history", "delete") if row]
    return found


def may_be_refused(kind: str, url: str) -> bool:
    """Records have neither an add page nor a delete page, not even for a superuser."""
    return kind in {"add", "delete"} and any(f"/{model._meta.model_name}/" in url for model in RECORDS)


def test_every_page_opens_for_a_superuser_without_a_key_and_without_inline_code(root: Client) -> None:
    make_one_of_each()
    for kind, url in pages():
        response = root.get(url)
        body = response.content.decode()
        assert response.status_code == (403 if may_be_refused(kind, url) else 200), url
        assert SECRET not in body, url
        assert InlineCode(body).found == [], url
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]


def test_staff_without_permissions_see_nothing(client: Client, db: None) -> None:
    make_one_of_each()
    client.force_login(make_user("carol", is_staff=True))
    refused = {url: client.get(url).status_code for kind, url in pages() if kind != "index"}
    assert set(refused.values()) == {403}, refused


@pytest.mark.parametrize("is_known", [True, False])
def test_people_who_are_no_staff_are_sent_to_the_login(client: Client, db: None, is_known: bool) -> None:
    make_one_of_each()
    if is_known:
        client.force_login(make_user("alice"))
    for _, url in pages():
        response = client.get(url)
        assert response.status_code == 302, url
        assert response.headers["Location"].startswith(reverse("admin:login"))


@pytest.mark.parametrize("model", OURS)
def test_one_permission_opens_one_kind_of_page(client: Client, db: None, model: type[Model]) -> None:
    make_one_of_each()
    name = model._meta.model_name
    client.force_login(make_user("carol", is_staff=True, permissions=(f"view_{name}",)))
    for other in OURS:
        expected = 200 if other is model else 403
        row = other._default_manager.first()
        assert row is not None
        assert client.get(reverse(f"admin:conversations_{other._meta.model_name}_changelist")).status_code == expected
        response = client.get(reverse(f"admin:conversations_{other._meta.model_name}_change", args=[row.pk]))
        assert response.status_code == expected
        assert SECRET not in response.content.decode()


@pytest.mark.parametrize("model", OURS)
def test_who_may_only_look_cannot_change_or_delete(client: Client, db: None, model: type[Model]) -> None:
    make_one_of_each()
    name = model._meta.model_name
    client.force_login(make_user("carol", is_staff=True, permissions=(f"view_{name}",)))
    row: Any = model._default_manager.first()
    before = model._default_manager.values().get(pk=row.pk)
    for kind in ("change", "delete"):
        url = reverse(f"admin:conversations_{name}_{kind}", args=[row.pk])
        assert client.post(url, {"name": "changed", "title": "changed", "post": "yes"}).status_code == 403
    assert model._default_manager.values().get(pk=row.pk) == before
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("model", RECORDS)
def test_not_even_a_superuser_falsifies_the_record(root: Client, model: type[Model]) -> None:
    make_one_of_each()
    row: Any = model._default_manager.first()
    name = model._meta.model_name
    attempts = [reverse(f"admin:conversations_{name}_{kind}", args=[row.pk]) for kind in ("change", "delete")]
    assert [root.post(url, {"post": "yes"}).status_code for url in [*attempts, reverse(f"admin:conversations_{name}_add")]] == [403] * 3
    assert not admin.site.get_model_admin(model).get_actions(request_of(root)).get("delete_selected")
    assert model._default_manager.filter(pk=row.pk).exists()


def request_of(browser: Client) -> Any:
    request = RequestFactory().get("/")
    request.user = make_user(is_staff=True, is_superuser=True)
    return request

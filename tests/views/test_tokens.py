"""The page of API tokens: a secret is shown once and kept nowhere, a token is gone once it is revoked."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations.models import ApiToken, Scope, make_token
from conversations.models.tokens import MOST_LIVING, SHOWN_CHARACTERS
from tests.factories import make_user

FIELDS = {"name": "Script on my laptop", "scopes": ["read", "chat"], "lifetime": "30"}
SECRET = re.compile(r"chat_[0-9a-f]{64}")


def make(browser: Client, **fields: Any) -> Any:
    return browser.post(reverse("tokens"), FIELDS | fields)


def test_a_secret_is_shown_once_and_kept_nowhere(alice: User, alices: Client) -> None:
    response = make(alices)
    assert response.status_code == 201
    assert "no-store" in response.headers["Cache-Control"]
    (secret,) = set(SECRET.findall(response.content.decode()))
    token = ApiToken.objects.get()
    assert (token.owner, token.name, token.scopes, token.prefix) == (
        alice,
        "Script on my laptop",
        ["read", "chat"],
        secret[:SHOWN_CHARACTERS],
    )
    assert token.expires_at is not None
    assert timedelta(days=29) < token.expires_at - timezone.now() <= timedelta(days=30)
    page = alices.get(reverse("tokens")).content.decode()
    assert "Script on my laptop" in page
    assert secret[:SHOWN_CHARACTERS] in page
    assert not SECRET.search(page)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM conversations_apitoken")
        assert secret not in str(cursor.fetchall())


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "\u200b"},
        {"name": "x" * 101},
        {"name": "a\0b"},
        {"scopes": []},
        {"scopes": ["admin"]},
        {"scopes": ["read", "everything"]},
        {"lifetime": ""},
        {"lifetime": "9999999999"},
    ],
)
def test_what_is_no_token_is_refused_in_words(alices: Client, wrong: dict[str, Any]) -> None:
    response = make(alices, **wrong)
    assert response.status_code == 422
    assert "errorlist" in response.content.decode()
    assert not ApiToken.objects.exists()


def test_nobody_has_more_than_fifty(alice: User, alices: Client) -> None:
    for number in range(MOST_LIVING):
        make_token(alice, f"Number {number}", [Scope.READ], None)
    assert "You have 50 tokens" in make(alices).content.decode()
    alice.api_tokens.latest("pk").revoke()
    assert make(alices).status_code == 201


def test_a_revoked_token_is_in_no_list_and_stays_revoked(alice: User, alices: Client) -> None:
    token, _ = make_token(alice, "<b>Old</b> script", [Scope.READ], None)
    address = reverse("revoke_token", args=[token.pk])
    page = alices.post(address, follow=True).content.decode()
    assert "&lt;b&gt;Old&lt;/b&gt; script</bdi>” was revoked" in page
    assert "You have none yet" in page
    assert alices.post(address).status_code == 404


def test_nobody_else_sees_or_revokes_it(alice: User, bobs: Client) -> None:
    token, _ = make_token(alice, "Secret project", [Scope.READ], None)
    assert bobs.post(reverse("revoke_token", args=[token.pk])).status_code == 404
    token.revoke()
    assert "Secret project" not in bobs.get(f"{reverse('tokens')}?revoked={token.pk}").content.decode()


def test_staff_revoke_it_and_see_no_secret(alice: User, carols: Client) -> None:
    token, secret = make_token(alice, "A script", [Scope.READ], None)
    listed = reverse("admin:conversations_apitoken_changelist")
    one = reverse("admin:conversations_apitoken_change", args=[token.pk])
    for address in (listed, one):
        page = carols.get(address).content.decode()
        assert token.prefix in page
        assert secret not in page
        assert token.digest not in page
    carols.post(listed, {"action": "revoke", "_selected_action": [token.pk]})
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_who_may_only_look_revokes_nothing(alice: User, client: Client) -> None:
    token, _ = make_token(alice, "A script", [Scope.READ], None)
    client.force_login(make_user("dave", is_staff=True, permissions=("view_apitoken",)))
    listed = reverse("admin:conversations_apitoken_changelist")
    assert token.prefix in client.get(listed).content.decode()
    client.post(listed, {"action": "revoke", "_selected_action": [token.pk]})
    token.refresh_from_db()
    assert token.revoked_at is None

"""The key goes in and never comes out."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from conversations.admin.providers import ProviderAdmin
from conversations.models import Protocol, Provider
from tests.factories import make_provider, make_user

SECRET = "sk-provider-8d2e61"


def change(provider: Provider) -> str:
    return reverse("admin:conversations_provider_change", args=[provider.pk])


def form_of(provider: Provider, **fields: Any) -> dict[str, Any]:
    filled = {name: getattr(provider, name) for name in ("name", "slug", "protocol", "base_url", "api_key_variable")}
    limits = {"connect_timeout": 10, "first_token_timeout": 120, "idle_timeout": 60, "reports_usage": "on", "is_enabled": "on"}
    return filled | limits | fields


def make_api(base_url: str = "https://api.example.com/v1", **fields: Any) -> Provider:
    return make_provider(protocol=Protocol.OPENAI_CHAT, base_url=base_url, **fields)


def save(browser: Client, provider: Provider, **fields: Any) -> Any:
    response = browser.post(change(provider), form_of(provider, **fields))
    assert SECRET not in response.content.decode()
    provider.refresh_from_db()
    return response


def test_a_key_is_kept_when_the_field_is_empty_replaced_when_filled_and_removed_when_asked(root: Client) -> None:
    provider = make_api()
    save(root, provider, new_key=SECRET)
    assert provider.api_key == SECRET
    save(root, provider, name="Renamed")
    assert (provider.api_key, provider.name) == (SECRET, "Renamed")
    save(root, provider, new_key="sk-other")
    assert provider.api_key == "sk-other"
    save(root, provider, remove_key="on")
    assert provider.api_key == ""


def test_history_says_that_the_key_changed_and_not_to_what(root: Client) -> None:
    provider = make_api()
    save(root, provider, new_key=SECRET)
    entry = LogEntry.objects.get()
    assert "API key" in entry.get_change_message()
    assert SECRET not in entry.change_message + entry.object_repr


@pytest.mark.parametrize(
    "wrong",
    [
        {"new_key": f"{SECRET} and a space"},
        {"new_key": f"{SECRET}é"},
        {"new_key": SECRET, "remove_key": "on"},
        {"new_key": SECRET, "name": ""},
        {"new_key": SECRET * 200},
        {"api_key_variable": SECRET},
        {"base_url": f"https://me:{SECRET}@api.example.com/v1"},
    ],
)
def test_a_key_that_failed_validation_is_not_sent_back(root: Client, wrong: dict[str, str]) -> None:
    provider = make_api()
    response = save(root, provider, **wrong)
    assert response.status_code == 200
    assert response.context["errors"]
    assert provider.api_key == ""


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "lower_case"])
def test_a_variable_that_holds_no_key_of_a_provider_is_refused(root: Client, name: str) -> None:
    provider = make_api()
    assert save(root, provider, api_key_variable=name).status_code == 200
    assert provider.api_key_variable == ""


def test_a_stored_key_is_never_sent_to_a_new_address(root: Client) -> None:
    provider = make_api(api_key=SECRET)
    assert save(root, provider, base_url="https://evil.example/v1").status_code == 200
    assert provider.base_url == "https://api.example.com/v1"
    assert save(root, provider, base_url="https://api.example.com/v2").status_code == 302
    assert save(root, provider, base_url="https://other.example/v1", new_key="sk-other").status_code == 302


def test_the_list_says_where_a_key_comes_from(root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SET_API_KEY", SECRET)
    make_api(api_key_variable="SET_API_KEY")
    make_api(api_key_variable="UNSET_API_KEY")
    make_api(api_key=SECRET)
    make_api()
    body = root.get(reverse("admin:conversations_provider_changelist")).content.decode()
    for source in ("environment variable SET_API_KEY<", "environment variable UNSET_API_KEY (not set)", ">stored<", ">none<"):
        assert source in body
    assert SECRET not in body


def test_the_key_is_encrypted_in_the_database(root: Client) -> None:
    save(root, make_api(), new_key=SECRET)
    with connection.cursor() as cursor:
        cursor.execute("SELECT api_key FROM conversations_provider")
        assert SECRET not in str(cursor.fetchall())


class InTransaction(ProviderAdmin):
    """Notes whether the database was held while the provider was asked."""

    was_held = True

    def _report(self, request: HttpRequest, providers: list[Provider]) -> None:
        InTransaction.was_held = connection.in_atomic_block


@pytest.mark.django_db(transaction=True)
def test_the_change_page_asks_a_provider_only_after_its_transaction(rf: RequestFactory) -> None:
    provider = make_provider()
    request = rf.post(change(provider), form_of(provider, _test="Test"))
    request.user = make_user(is_staff=True, is_superuser=True)
    request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
    SessionMiddleware(lambda request: HttpResponse()).process_request(request)
    MessageMiddleware(lambda request: HttpResponse()).process_request(request)
    InTransaction(Provider, admin.site).change_view(request, str(provider.pk))
    assert not InTransaction.was_held

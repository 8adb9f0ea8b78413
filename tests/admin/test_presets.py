"""Links that fill the form of a new provider."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from conversations.admin.providers import OUR_SECRETS
from conversations.models import Provider
from conversations.models.presets import PRESETS
from tests.factories import make_provider


def form_at(browser: Client, preset: str) -> Any:
    response = browser.get(reverse("admin:conversations_provider_add", query={"preset": preset}))
    assert response.status_code == 200
    return response.context["adminform"].form


@pytest.mark.parametrize("preset", PRESETS)
def test_a_filled_form_can_be_saved_as_it_is(root: Client, preset: str) -> None:
    filled = {name: value for name, value in form_at(root, preset).initial.items() if value is not None}
    limits = {"connect_timeout": 10, "first_token_timeout": 120, "idle_timeout": 60, "reports_usage": "on", "is_enabled": "on"}
    assert root.post(reverse("admin:conversations_provider_add", query={"preset": preset}), limits | filled).status_code == 302
    provider = Provider.objects.get()
    assert (provider.name, provider.slug, provider.base_url) == (PRESETS[preset].name, preset, PRESETS[preset].base_url)
    assert provider.api_key_variable == PRESETS[preset].api_key_variable not in OUR_SECRETS


def test_the_page_links_to_each_and_tells_what_is_to_be_known(root: Client) -> None:
    page = root.get(reverse("admin:conversations_provider_add", query={"preset": "azure"})).content.decode()
    assert all(f'href="?preset={key}"' in page for key in PRESETS)
    assert 'href="?preset=azure" aria-current="true"' in page
    assert "The id of a model is the name of your deployment." in page


def test_a_name_that_is_taken_gets_a_number(root: Client) -> None:
    make_provider(name="OpenAI", slug="openai-chat")
    make_provider(name="OpenAI 2", slug="other")
    initial = form_at(root, "openai-chat").initial
    assert (initial["name"], initial["slug"]) == ("OpenAI 3", "openai-chat-2")


@pytest.mark.parametrize("preset", ["", "nobody", "<b>", "\0", "a" * 5000])
def test_a_preset_that_is_none_leaves_the_form_empty(root: Client, preset: str) -> None:
    assert not form_at(root, preset).initial.get("base_url")


def test_no_preset_is_a_provider_that_a_start_makes() -> None:
    assert not {"openai", "local", "echo"} & PRESETS.keys()


def test_where_the_variable_is_not_set_the_stored_key_is_used(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = make_provider(api_key="stored-key", api_key_variable="PRESET_API_KEY")
    monkeypatch.delenv("PRESET_API_KEY", raising=False)
    assert provider.secret == "stored-key"
    monkeypatch.setenv("PRESET_API_KEY", "from-outside")
    assert provider.secret == "from-outside"

"""The page of what a provider offers. It asks a real server over a real socket; what is posted asks nobody."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from chatsite.discovery import MODELS_AT_MOST
from conversations.admin.offers import offers_of
from conversations.models import LanguageModel, Price, Protocol, Provider
from conversations.providers.known import known_of
from tests.factories import make_model, make_price, make_provider, make_user

from .test_connection import offer, serve

__all__ = ["serve"]
pytestmark = pytest.mark.django_db(transaction=True)
OPENAI = "https://api.openai.com/v1"
SECRET = "sk-offers-5d0c"


def make_api(base_url: str = OPENAI, **fields: Any) -> Provider:
    return make_provider(protocol=Protocol.OPENAI_CHAT, base_url=base_url, **fields)


def page_of(provider: Provider) -> str:
    return reverse("admin:conversations_provider_models", args=[provider.pk])


def post(browser: Client, provider: Provider, **form: Any) -> str:
    """Post the form; return what is said."""
    response = browser.post(page_of(provider), form, follow=True)
    return " ".join(str(message) for message in response.context["messages"])


def test_what_is_here_is_told_from_what_can_be_added(root: Client, serve: Any) -> None:
    provider = make_api(serve(offer("here", "new", "text-embedding-9", "dall-e-9", "<b>&")))
    make_model(provider, model_id="here", input_price=3, output_price=4)
    make_model(provider, model_id="text-embedding-9")
    page = root.get(page_of(provider)).content.decode()
    assert 'name="add" value="new"' in page
    assert 'value="here"' not in page
    assert "3 / 3 / 3 / 4" in page
    assert "unknown" in page
    assert "free" in page
    assert "it does not chat" in page
    assert "&lt;b&gt;&amp;" in page
    assert not LanguageModel.objects.filter(model_id="new").exists()


def test_a_provider_that_does_not_answer_is_a_sentence_without_its_key(root: Client, serve: Any) -> None:
    provider = make_api(serve((500, f"broken {SECRET}")), api_key=SECRET)
    page = root.get(page_of(provider)).content.decode()
    assert "Reached, but it failed." in page
    assert SECRET not in page


def test_what_is_ticked_is_added_with_what_is_known_of_it(root: Client) -> None:
    provider = make_api()
    said = post(root, provider, add=["gpt-4o-mini", "my-own-tuned-model"])
    known, own = provider.models.get(model_id="gpt-4o-mini"), provider.models.get(model_id="my-own-tuned-model")
    data = known_of(OPENAI, "gpt-4o-mini")
    assert (known.context_window, known.prices.get().input_price) == (data.context_window, data.prices["input_price"])
    assert known.prices.get().source == data.source
    assert (own.prices.count(), own.rates.is_known) == (0, False)
    assert said == "Added: 2. The price of 1 is unknown: set it by hand, or their answers show no cost."
    assert LogEntry.objects.filter(content_type__model="languagemodel").count() == 2


def test_nothing_is_added_twice_or_beyond_the_limit(root: Client) -> None:
    provider = make_api()
    make_model(provider, model_id="gpt-4o")
    post(root, provider, add=["gpt-4o", "", "x" * 201, "nul\0", *(f"model-{number}" for number in range(MODELS_AT_MOST + 5))])
    assert provider.models.count() == MODELS_AT_MOST + 1
    assert not Price.objects.exists()


def test_a_price_that_is_newer_in_the_data_is_taken_where_it_is_ticked_as_a_new_row(root: Client) -> None:
    provider = make_api()
    ticked, not_ticked = (make_model(provider, model_id=name, input_price=9) for name in ("gpt-4o", "gpt-4o-mini"))
    assert [entry.is_priced_anew for entry in offers_of(provider, ["gpt-4o", "gpt-4o-mini", "gpt-4.1"])] == [True, True, False]
    assert "Priced anew: 1." in post(root, provider, price=[ticked.pk, "x", "9" * 30])
    assert [price.input_price for price in ticked.prices.all()] == [known_of(OPENAI, "gpt-4o").prices["input_price"], 9]
    assert not_ticked.prices.count() == 1
    assert not offers_of(provider, ["gpt-4o"])[0].is_priced_anew
    assert "Priced anew" not in post(root, provider, price=[ticked.pk])


def test_a_model_of_another_provider_is_not_priced_here(root: Client) -> None:
    stranger = make_model(make_api(), model_id="gpt-4o")
    post(root, make_api(), price=[stranger.pk])
    assert not stranger.prices.exists()


@pytest.mark.parametrize(
    ("permissions", "status"),
    [
        (("view_provider", "add_languagemodel"), 403),
        (("change_provider",), 403),
        (("change_provider", "add_languagemodel"), 302),
    ],
)
def test_it_takes_the_permission_to_send_the_key_and_to_add_models(client: Client, permissions: tuple[str, ...], status: int) -> None:
    client.force_login(make_user(is_staff=True, permissions=permissions))
    assert client.post(page_of(make_api()), {"add": "gpt-4o"}).status_code == status
    assert LanguageModel.objects.exists() == (status == 302)


def test_who_may_not_change_models_prices_none(client: Client) -> None:
    model = make_model(make_api(), model_id="gpt-4o")
    make_price(model, input_price=9)
    client.force_login(make_user(is_staff=True, permissions=("change_provider", "add_languagemodel")))
    client.post(page_of(model.provider), {"price": model.pk})
    assert model.prices.count() == 1


def test_a_provider_that_is_gone_is_not_found(root: Client) -> None:
    provider = make_api()
    address = page_of(provider)
    provider.delete()
    assert root.get(address).status_code == 404
    assert root.get(address.replace(f"/{provider.pk}/", f"/{10**30}/")).status_code == 404

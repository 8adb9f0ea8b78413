"""Which price is charged: that of the moment, of this model, and none that nobody has said."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from conversations.models import LanguageModel, Price, Protocol, Usage
from conversations.models.prices import FREE, UNKNOWN, Rates, rates_in_effect, this_second
from tests.factories import make_model, make_price, make_provider

OF_THE_CLOUD = {"protocol": Protocol.OPENAI_CHAT, "base_url": "https://api.openai.com/v1"}
HOUSES = ["http://127.0.0.1:11434/v1", "http://ollama:11434/v1", "http://192.168.1.7/v1", "http://gpu.local/v1"]


def at(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


@pytest.mark.postgresql
def test_the_newest_price_that_has_begun_is_in_effect(db: None) -> None:
    model, another = make_model(), make_model(input_price=9)
    for year, amount in ((2021, 1), (2023, 3), (2022, 2)):
        make_price(model, valid_from=at(year), input_price=amount, output_price=10 * amount)
    make_price(model, valid_from=timezone.now() + timedelta(days=1), input_price=4)
    assert rates_in_effect(model.pk) == Rates(Decimal(3), Decimal(3), Decimal(3), Decimal(30))
    assert rates_in_effect(another.pk).input_price == 9


@pytest.mark.postgresql
def test_a_price_from_now_on_is_in_effect_at_once(db: None) -> None:
    model = make_model(input_price=1)
    make_price(model, valid_from=this_second(), input_price=2)
    assert rates_in_effect(model.pk).input_price == 2


@pytest.mark.postgresql
def test_what_is_left_empty_costs_what_other_input_costs_and_zero_is_zero(db: None) -> None:
    model = make_model(input_price=2, cached_input_price=0)
    assert rates_in_effect(model.pk) == Rates(Decimal(2), Decimal(0), Decimal(2), Decimal(0))


def test_nobody_has_said_what_it_costs(db: None) -> None:
    model = make_model(make_provider(**OF_THE_CLOUD))
    assert (rates_in_effect(model.pk), model.rates) == (UNKNOWN, UNKNOWN)


@pytest.mark.parametrize("address", HOUSES)
def test_in_ones_own_house_it_is_free_unless_a_price_is_set(db: None, address: str) -> None:
    model = make_model(make_provider(protocol=Protocol.OPENAI_CHAT, base_url=address))
    assert model.rates == FREE
    make_price(model, input_price=1)
    assert LanguageModel.objects.get(pk=model.pk).rates.input_price == 1


def test_the_ledger_says_whether_the_price_was_known(db: None) -> None:
    for model, is_known in ((make_model(make_provider(**OF_THE_CLOUD)), False), (make_model(), True)):
        usage = Usage(input_tokens=5)
        usage.take_prices(model)
        assert (usage.is_priced, usage.cost) == (is_known, 0)


def test_prices_are_held_also_if_the_model_is_deleted_meanwhile(db: None) -> None:
    model = make_model(input_price=1)
    model.hold_rates()
    LanguageModel.objects.all().delete()
    assert model.rates.input_price == 1


def test_two_prices_of_a_model_never_begin_at_once(db: None) -> None:
    price = make_price(make_model())
    with pytest.raises(IntegrityError), transaction.atomic():
        make_price(price.model)


def test_a_price_begins_now_or_later() -> None:
    now, later = this_second(), this_second() + timedelta(days=3)
    assert begins(None) >= now
    assert begins(now - timedelta(minutes=1)) >= now
    assert begins(later) == later
    with pytest.raises(ValidationError, match="has been paid for"):
        begins(now - timedelta(days=1))


def begins(moment: datetime | None) -> datetime:
    price = Price(valid_from=moment)
    price.clean()
    return price.valid_from


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql
def test_a_site_that_had_its_prices_in_columns_charges_as_before() -> None:
    old = MigrationExecutor(connection).migrate([("conversations", "0011_more_protocols")]).apps
    try:
        provider = old.get_model("conversations", "Provider").objects.create(
            name="Cloud", slug="cloud", base_url="https://api.openai.com/v1"
        )
        models, usages = old.get_model("conversations", "LanguageModel").objects, old.get_model("conversations", "Usage").objects
        prices = {"input_price": Decimal("0.15"), "cached_input_price": Decimal(0), "output_price": Decimal("0.6")}
        priced = models.create(provider=provider, model_id="a", name="A", **prices)
        models.create(provider=provider, model_id="b", name="B")
        usages.create(model=priced, model_name="A", cost=1, **prices)
        usages.create(model_name="B", cost=0, **dict.fromkeys(prices, 0))
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    rates = {model.model_id: model.rates for model in LanguageModel.objects.all()}
    assert rates == {"a": Rates(Decimal("0.15"), Decimal(0), Decimal("0.15"), Decimal("0.6")), "b": UNKNOWN}
    assert list(Usage.objects.order_by("pk").values_list("is_priced", "cost")) == [(True, 1), (False, 0)]

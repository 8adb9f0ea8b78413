from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse, reverse_lazy

from conversations.admin.default_mark import move_default
from conversations.models import LanguageModel, SystemPrompt
from conversations.models.prices import Rates, this_second
from tests.factories import make_model, make_price, make_provider, make_user

LIST = reverse_lazy("admin:conversations_languagemodel_changelist")


def change(model: LanguageModel | SystemPrompt) -> str:
    return reverse(f"admin:conversations_{model._meta.model_name}_change", args=[model.pk])


def form_of(model: LanguageModel, **fields: Any) -> dict[str, Any]:
    filled = {
        "provider": model.provider_id,
        "model_id": model.model_id,
        "name": model.name,
        "context_window": 8192,
        "position": 0,
        **{f"{prefix}-{count}_FORMS": 0 for prefix in ("prices", "prices-2") for count in ("TOTAL", "INITIAL")},
        "parameters": "{}",
        "is_enabled": "on",
    }
    return filled | fields


def defaults() -> list[LanguageModel]:
    return list(LanguageModel.objects.filter(is_default=True))


def test_marking_another_default_on_its_page_moves_the_mark(root: Client) -> None:
    make_model(is_default=True)
    new = make_model()
    assert root.post(change(new), form_of(new, is_default="on")).status_code == 302
    assert defaults() == [new]


def test_one_model_writes_titles_and_marking_another_moves_the_mark(root: Client) -> None:
    make_model(writes_titles=True, is_default=True)
    new = make_model()
    assert root.post(change(new), form_of(new, writes_titles="on")).status_code == 302
    assert LanguageModel.objects.get(writes_titles=True) == new
    assert defaults() != [new]


def test_adding_a_default_moves_the_mark(root: Client) -> None:
    make_model(is_default=True)
    unsaved = LanguageModel(provider=make_provider(), model_id="new", name="New")
    assert root.post(reverse("admin:conversations_languagemodel_add"), form_of(unsaved, is_default="on")).status_code == 302
    assert [model.model_id for model in defaults()] == ["new"]


def test_saving_the_default_again_keeps_the_mark_and_clearing_it_removes_it(root: Client) -> None:
    model = make_model(is_default=True)
    root.post(change(model), form_of(model, is_default="on", name="Renamed"))
    assert [model.name for model in defaults()] == ["Renamed"]
    root.post(change(model), form_of(model))
    assert defaults() == []


def test_the_action_moves_the_mark(root: Client) -> None:
    make_model(is_default=True)
    new = make_model()
    root.post(LIST, {"action": "make_default", "_selected_action": [new.pk]})
    assert defaults() == [new]


def test_the_action_refuses_two_models_and_a_disabled_one(root: Client) -> None:
    old, new, disabled = make_model(is_default=True), make_model(), make_model(is_enabled=False)
    for selected in ([old.pk, new.pk], [disabled.pk]):
        root.post(LIST, {"action": "make_default", "_selected_action": selected})
        assert defaults() == [old]


def test_enabling_in_the_list_leaves_the_mark_alone(root: Client) -> None:
    model = make_model(is_default=True, is_enabled=False)
    form = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": model.pk, "form-0-is_enabled": "on", "_save": "Save"}
    assert root.post(LIST, form).status_code == 302
    model.refresh_from_db()
    assert model.is_enabled
    assert model.is_default


def test_a_second_row_for_the_same_model_of_a_provider_is_a_sentence_and_no_crash(root: Client) -> None:
    there = make_model()
    response = root.post(reverse("admin:conversations_languagemodel_add"), form_of(there, is_default="on"))
    assert response.status_code == 200
    assert response.context["errors"]


NO_OBJECTS = ['["a"]', '"text"', "7", "{"]
RESERVED = ['{"messages": []}', '{"stream": false}', '{"model": "x"}', '{"stream_options": {}}']
NOT_PORTABLE = ['{"temperature": NaN}', '{"top_p": Infinity}', '{"stop": "\\u0000"}', '{"stop": "\\ud800"}']


@pytest.mark.parametrize("parameters", [*NO_OBJECTS, *RESERVED, *NOT_PORTABLE])
def test_parameters_that_cannot_be_sent_are_refused(root: Client, parameters: str) -> None:
    model = make_model()
    response = root.post(change(model), form_of(model, parameters=parameters))
    assert response.status_code == 200
    assert "parameters" in response.context["adminform"].form.errors


@pytest.mark.parametrize(("typed", "kept"), [('{"temperature": 0.7}', {"temperature": 0.7}), ("", {}), ("null", {})])
def test_parameters_that_can_be_sent_are_kept(root: Client, typed: str, kept: dict[str, Any]) -> None:
    model = make_model()
    assert root.post(change(model), form_of(model, parameters=typed)).status_code == 302
    model.refresh_from_db()
    assert model.parameters == kept


def test_moving_the_mark_needs_no_mark_to_begin_with(db: None) -> None:
    model = make_model()
    move_default(model)
    assert defaults() == [model]


def new_price(**fields: Any) -> dict[str, Any]:
    filled = {"input_price": "0.150", "output_price": "0.6"} | fields
    return {"prices-TOTAL_FORMS": 1, **{f"prices-0-{name}": value for name, value in filled.items()}}


def test_a_new_price_is_a_new_row_from_now_on_and_the_old_one_stays(root: Client) -> None:
    model = make_model(input_price=1)
    assert root.post(change(model), form_of(model, **new_price())).status_code == 302
    assert list(model.prices.values_list("input_price", "source")) == [(Decimal("0.15"), "by hand"), (1, "by hand")]
    assert model.rates == Rates(Decimal("0.15"), Decimal("0.15"), Decimal("0.15"), Decimal("0.6"))


def test_a_model_can_be_added_together_with_its_price(root: Client) -> None:
    unsaved = LanguageModel(provider=make_provider(), model_id="new", name="New")
    root.post(reverse("admin:conversations_languagemodel_add"), form_of(unsaved, **new_price(cached_input_price="0")))
    assert LanguageModel.objects.get().rates == Rates(Decimal("0.15"), Decimal(0), Decimal("0.15"), Decimal("0.6"))


@pytest.mark.parametrize(
    "fields",
    [
        {"input_price": "-1"},
        {"input_price": "NaN"},
        {"input_price": "1e9"},
        {"input_price": ""},
        {"output_price": "free"},
        {"valid_from_0": "2020-01-01", "valid_from_1": "00:00"},
        {"valid_from_0": "yesterday", "valid_from_1": "00:00"},
    ],
)
def test_a_price_that_cannot_be_is_refused_beside_its_field(root: Client, fields: dict[str, str]) -> None:
    model = make_model()
    response = root.post(change(model), form_of(model, **new_price(**fields)))
    assert response.status_code == 200
    assert response.context["errors"]
    assert not model.prices.exists()


def test_a_price_in_effect_is_shown_with_its_last_digit_and_no_form_can_change_it(root: Client) -> None:
    model = make_model(input_price="0.150000")
    page = root.get(change(model)).content.decode()
    assert "<td>0.15</td>" in page
    assert "A price that has begun is never altered" in page
    price = model.prices.get()
    forged = {"INITIAL_FORMS": 1, "TOTAL_FORMS": 1, "0-id": price.pk, "0-model": model.pk, "0-input_price": 7, "0-output_price": 7}
    for prefix in ("prices", "prices-2"):
        for more in ({}, {f"{prefix}-0-DELETE": "on"}):
            root.post(change(model), form_of(model, **{f"{prefix}-{name}": value for name, value in forged.items()}, **more))
    assert model.prices.get().input_price == Decimal("0.15")


def test_a_price_that_has_not_begun_can_be_changed_and_taken_back(root: Client) -> None:
    model = make_model()
    price = make_price(model, valid_from=this_second() + timedelta(days=3))
    moment = {"valid_from_0": f"{price.valid_from:%Y-%m-%d}", "valid_from_1": f"{price.valid_from:%H:%M:%S}"}
    there = new_price(id=price.pk, model=model.pk, input_price=7, **moment) | {"prices-INITIAL_FORMS": 1}
    assert root.post(change(model), form_of(model, **there)).status_code == 302
    assert model.prices.get().input_price == 7
    assert root.post(change(model), form_of(model, **there, **{"prices-0-DELETE": "on"})).status_code == 302
    assert not model.prices.exists()


def test_who_may_only_look_sees_the_prices_and_sets_none(client: Client, db: None) -> None:
    model = make_model(input_price="20")
    client.force_login(make_user(is_staff=True, permissions=("view_languagemodel",)))
    page = client.get(change(model)).content.decode()
    assert "<td>20</td>" in page
    assert "prices-0-input_price" not in page
    client.post(change(model), form_of(model, **new_price()))
    assert model.prices.count() == 1

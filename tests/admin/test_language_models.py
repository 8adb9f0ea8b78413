from typing import Any

import pytest
from django.test import Client
from django.urls import reverse, reverse_lazy

from conversations.admin.default_mark import move_default
from conversations.models import LanguageModel, SystemPrompt
from tests.factories import make_model, make_provider, make_user

LIST = reverse_lazy("admin:conversations_languagemodel_changelist")


def change(model: LanguageModel | SystemPrompt) -> str:
    return reverse(f"admin:conversations_{model._meta.model_name}_change", args=[model.pk])


def form_of(model: LanguageModel, **fields: Any) -> dict[str, Any]:
    filled = {
        "provider": model.provider_id,
        "model_id": model.model_id,
        "name": model.name,
        "context_window": 8192,
        "input_price": "0.15",
        "cached_input_price": "0.075",
        "output_price": "0.6",
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


@pytest.mark.parametrize(("price", "shown"), [("0.150000", "0.15"), ("20", "20"), ("0", "0"), ("0.000001", "0.000001")])
def test_a_price_is_shown_without_zeros_to_who_may_change_it_and_to_who_may_not(client: Client, db: None, price: str, shown: str) -> None:
    model = make_model(input_price=price)
    client.force_login(make_user(is_staff=True, is_superuser=True))
    assert f'name="input_price" value="{shown}"' in client.get(change(model)).content.decode()
    client.force_login(make_user(is_staff=True, permissions=("view_languagemodel",)))
    assert f'<div class="readonly">{shown}</div>' in client.get(change(model)).content.decode()

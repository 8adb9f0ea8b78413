"""Who may pick which model, in which order, and what goes on for one that has retired."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from conversations.models import LanguageModel, Protocol
from conversations.models.catalog import available_model, stand_in_for
from tests.factories import make_model, make_provider, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def make_limited(*groups: Group, **fields: Any) -> LanguageModel:
    model = make_model(**fields)
    model.groups.set(groups)
    return model


def make_member(*groups: Group) -> User:
    user = make_user()
    user.groups.set(groups)
    return user


def retired(successor: LanguageModel | None = None, **fields: Any) -> LanguageModel:
    return make_model(retires_at=timezone.now() - timedelta(seconds=1), successor=successor, **fields)


def test_a_model_of_a_group_is_for_its_members_alone() -> None:
    research, sales = Group.objects.create(name="Research"), Group.objects.create(name="Sales")
    open_to_all, limited = make_model(), make_limited(research)
    both = make_limited(research, sales)
    chosen = {person: set(LanguageModel.objects.available(person)) for person in (make_member(research).pk, make_member(sales).pk)}
    assert list(chosen.values()) == [{open_to_all, limited, both}, {open_to_all, both}]
    assert set(LanguageModel.objects.available(make_user(is_superuser=True).pk)) == {open_to_all}
    assert set(LanguageModel.objects.available()) == {open_to_all}


def test_a_member_of_two_groups_is_offered_a_model_once() -> None:
    groups = [Group.objects.create(name=name) for name in "ab"]
    model = make_limited(*groups)
    assert list(LanguageModel.objects.available(make_member(*groups).pk)) == [model]


def test_one_model_is_looked_up_by_the_same_rule() -> None:
    group = Group.objects.create(name="Research")
    limited, member, stranger = make_limited(group), make_member(group), make_member()
    assert available_model.first(limited.pk, member.pk) == limited
    assert available_model.first(limited.pk, stranger.pk) is None
    assert available_model.first(retired().pk, member.pk) is None


def test_a_model_retires_at_its_moment_and_not_before() -> None:
    make_model(name="gone", retires_at=timezone.now() - timedelta(seconds=1))
    make_model(name="going", retires_at=timezone.now() + timedelta(hours=1))
    assert [model.name for model in LanguageModel.objects.available()] == ["going"]


def test_the_order_is_that_of_staff_and_then_of_names() -> None:
    provider = make_provider(name="Z")
    make_model(provider, name="B", position=1)
    make_model(provider, name="A", position=1)
    make_model(name="last", position=2)
    make_model(name="first")
    assert [model.name for model in LanguageModel.objects.available()] == ["first", "A", "B", "last"]


def test_who_may_not_pick_the_default_begins_with_another_model() -> None:
    group = Group.objects.create(name="Research")
    best = make_limited(group, is_default=True)
    other = make_model(make_provider(protocol=Protocol.OPENAI_CHAT, base_url="http://127.0.0.1:9/v1"))
    assert LanguageModel.objects.default(make_member(group).pk) == best
    assert LanguageModel.objects.default(make_member().pk) == other == LanguageModel.objects.default()


def test_a_successor_stands_in_for_what_has_retired_however_many_did() -> None:
    last = make_model()
    first = retired(retired(last))
    make_model(is_default=True)
    assert stand_in_for(first, make_user().pk) == last


def test_a_successor_that_a_person_may_not_pick_is_not_given_to_them() -> None:
    default = make_model(is_default=True)
    limited = make_limited(Group.objects.create(name="Research"))
    assert stand_in_for(retired(limited), make_user().pk) == default


def test_a_model_that_is_only_switched_off_has_no_successor_yet() -> None:
    default = make_model(is_default=True)
    assert stand_in_for(make_model(is_enabled=False, successor=make_model()), make_user().pk) == default


def test_a_circle_of_successors_ends_at_the_default() -> None:
    default, one = make_model(is_default=True), retired()
    LanguageModel.objects.filter(pk=one.pk).update(successor=retired(one))
    assert stand_in_for(LanguageModel.objects.get(pk=one.pk), make_user().pk) == default


def test_nothing_stands_in_where_nothing_is_offered() -> None:
    assert stand_in_for(retired(), make_user().pk) is None
    assert stand_in_for(None, make_user().pk) is None

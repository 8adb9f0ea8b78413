"""Pace: what one person may ask for in a minute and at once, right whatever runs at the same time."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.models import Generation, LanguageModel, Pace, Scope, Status, TooFast, make_token, retry
from conversations.models.calls import begin_call
from tests.conftest import in_parallel
from tests.factories import make_model, make_turn

pytestmark = pytest.mark.postgresql


@pytest.fixture
def limits(settings: Any) -> Any:
    """A function that sets them."""

    def set_limits(a_minute: int = 0, at_once: int = 0) -> None:
        settings.REQUESTS_PER_MINUTE, settings.ANSWERS_AT_ONCE = a_minute, at_once

    return set_limits


def ended() -> None:
    Generation.objects.update(status=Status.COMPLETE)


def test_a_minutes_worth_may_be_asked_at_once_and_then_one_each_time_one_is_free(alice: User, model: LanguageModel, limits: Any) -> None:
    limits(a_minute=3)
    for _ in range(3):
        make_turn(owner=alice, model=model)
    with pytest.raises(TooFast) as refused:
        make_turn(owner=alice, model=model)
    assert (refused.value.status, refused.value.code, refused.value.retry_after) == (429, "too_many", 20)
    assert str(refused.value) == "That was too often: 3 requests a minute are possible. Wait 20 seconds, then send again."
    pace = Pace.objects.get()
    Pace.objects.update(free_at=pace.free_at - 20)  # so long ago it all was
    make_turn(owner=alice, model=model)
    with pytest.raises(TooFast):
        make_turn(owner=alice, model=model)


def test_so_many_answers_may_be_written_at_once(alice: User, model: LanguageModel, limits: Any) -> None:
    limits(at_once=2)
    for _ in range(2):
        make_turn(owner=alice, model=model)
    with pytest.raises(TooFast) as refused:
        make_turn(owner=alice, model=model)
    assert refused.value.code == "too_many_at_once"
    assert str(refused.value).startswith("2 answers of yours are being written")
    ended()
    make_turn(owner=alice, model=model)


def test_the_limits_of_one_person_are_nobody_elses(alice: User, bob: User, model: LanguageModel, limits: Any) -> None:
    limits(a_minute=1, at_once=1)
    make_turn(owner=alice, model=model)
    make_turn(owner=bob, model=model)
    for person in (alice, bob):
        with pytest.raises(TooFast):
            make_turn(owner=person, model=model)


def test_what_is_refused_leaves_nothing_and_costs_nothing(alice: User, model: LanguageModel, limits: Any) -> None:
    limits(a_minute=60, at_once=1)
    turn = make_turn(owner=alice, model=model)
    before = Pace.objects.get().free_at
    with pytest.raises(TooFast):
        make_turn(owner=alice, model=model)
    assert alice.conversations.count() == 1
    assert Pace.objects.get().free_at == before
    ended()
    with pytest.raises(TooFast):
        retry(turn.answer, model, make_model())
    assert Generation.objects.count() == 1


def test_programs_and_pages_count_together(alice: User, model: LanguageModel, limits: Any) -> None:
    limits(at_once=2)
    token, _ = make_token(alice, "A script", [Scope.CHAT], None)
    make_turn(owner=alice, model=model)
    call = begin_call(alice, token, model, 1)
    with pytest.raises(TooFast):
        make_turn(owner=alice, model=model)
    with pytest.raises(TooFast):
        begin_call(alice, token, model, 1)
    assert call.close()
    make_turn(owner=alice, model=model)


@pytest.mark.parametrize("limit", [{"a_minute": 4}, {"at_once": 4}, {"a_minute": 4, "at_once": 4}], ids=str)
@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_moment_no_more_begin_than_may(alice: User, model: LanguageModel, limits: Any, limit: dict[str, int]) -> None:
    limits(**limit)

    def ask(_: int) -> bool:
        try:
            make_turn(owner=alice, model=model)
        except TooFast:
            return False
        return True

    assert sum(in_parallel(16, ask)) == 4
    assert Generation.objects.count() == 4


def test_it_is_one_query_for_each_answer_and_none_where_there_is_no_limit(alice: User, model: LanguageModel, limits: Any) -> None:
    with CaptureQueriesContext(connection) as without:
        make_turn(owner=alice, model=model)
    limits(a_minute=60, at_once=60)
    make_turn(owner=alice, model=model)  # the first has to make the row
    with CaptureQueriesContext(connection) as within:
        make_turn(owner=alice, model=model)
    assert len(within) == len(without) + 1
    assert not any("pace" in query["sql"] for query in without)

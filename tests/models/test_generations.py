"""A generation's doors: each change of status happens once, and only from where it may."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from conversations.models import Generation, JournalEntry, Status
from tests.conftest import in_parallel
from tests.factories import make_turn

ENDED = [Status.COMPLETE, Status.STOPPED, Status.FAILED, Status.INTERRUPTED]


def make_generation(**fields: object) -> Generation:
    generation = make_turn().generation
    Generation.objects.filter(pk=generation.pk).update(**fields)
    return Generation.objects.get(pk=generation.pk)


@pytest.mark.parametrize("status", ENDED)
def test_what_has_ended_is_neither_claimed_nor_stopped_nor_ended_again(db: None, status: Status) -> None:
    generation = make_generation(status=status, owner="one", attempt=1)
    assert not generation.claim("one")
    assert not generation.request_stop()
    assert not generation.finish(Status.COMPLETE)
    assert Generation.objects.get().status == status
    assert not generation.is_live


def test_a_claim_is_for_the_attempt_that_was_read(db: None) -> None:
    stale = make_generation()
    assert Generation.objects.get().claim("one")
    Generation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert not stale.claim("two")
    assert Generation.objects.get().owner == "one"


def test_a_claim_says_what_it_won(db: None) -> None:
    generation = make_generation()
    assert generation.claim("one")
    for row in (generation, Generation.objects.get()):
        assert (row.status, row.owner, row.attempt) == (Status.RUNNING, "one", 1)


def test_only_the_owner_of_the_attempt_ends_it(db: None) -> None:
    generation = make_generation()
    assert generation.claim("one")
    for owner, attempt in (("two", 1), ("one", 0), ("one", 2), ("", 1)):
        other = Generation.objects.get()
        other.owner, other.attempt = owner, attempt
        assert not other.finish(Status.COMPLETE)
    assert generation.finish(Status.FAILED, error_code="x")
    assert Generation.objects.get().error_code == "x"


def test_the_first_stop_counts(db: None) -> None:
    generation = make_generation()
    assert generation.claim("one")
    assert generation.request_stop()
    first = Generation.objects.get().stop_requested_at
    assert not generation.request_stop()
    assert Generation.objects.get().stop_requested_at == first


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_eight_claims_at_once_one_wins() -> None:
    pk = make_generation().pk
    won = in_parallel(8, lambda number: Generation.objects.get(pk=pk).claim(f"process {number}"))
    assert sum(won) == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_a_claim_and_a_stop_at_once_neither_is_lost() -> None:
    for _ in range(5):
        pk = make_generation().pk
        in_parallel(2, lambda number, pk=pk: claim_or_stop(pk, number))
        kept = Generation.objects.get(pk=pk)
        assert kept.stop_requested_at
        assert kept.status in {Status.STOPPED, Status.RUNNING}


def claim_or_stop(pk: int, number: int) -> bool:
    generation = Generation.objects.get(pk=pk)
    return generation.request_stop() if number else generation.claim("one")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_position_of_the_journal_is_written_once() -> None:
    generation = make_generation()
    JournalEntry.objects.create(generation=generation, position=1, kind="text_delta", data="one")
    with pytest.raises(IntegrityError), transaction.atomic():
        JournalEntry.objects.create(generation=generation, position=1, kind="text_delta", data="two")


def test_times_are_told_only_where_they_are_known(db: None) -> None:
    generation = make_generation()
    assert (generation.seconds_to_first_token, generation.seconds_of_output) == (None, None)
    generation.first_token_at = generation.queued_at + timedelta(seconds=2)
    generation.finished_at = generation.queued_at + timedelta(seconds=5)
    assert (generation.seconds_to_first_token, generation.seconds_of_output) == (2, 3)

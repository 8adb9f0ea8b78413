"""The cast, each in a browser: alice owns, bob is a stranger, carol is staff. And an end that lets the test database go."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import hypothesis
import pytest
from asgiref.sync import SyncToAsync
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client

from chatsite import threads
from conversations.models import LanguageModel

from .factories import make_model, make_user

LIMIT = 20  # seconds

hypothesis.settings.register_profile("site", deadline=None)  # absolute times are no claim of a test
hypothesis.settings.load_profile("site")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """PostgreSQL drops no database that somebody is connected to, and the threads of the site keep their connections."""
    yield
    for pool in (threads.web, threads.generation, threads.journal, threads.transfer, SyncToAsync.single_thread_executor):
        close_connections_of(pool)


def close_connections_of(pool: ThreadPoolExecutor) -> None:
    """Close them in each thread of the pool: the barrier holds every job until all threads have one."""
    together = threading.Barrier(len(pool._threads) or 1, timeout=LIMIT)

    def close() -> None:
        together.wait()
        connections.close_all()

    done, late = wait([pool.submit(close) for _ in range(together.parties)], LIMIT)
    assert not late
    for future in done:
        future.result()


def in_parallel(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run `work` in as many threads at once, each with its own connection."""
    together = threading.Barrier(count, timeout=LIMIT)

    def job(number: int) -> Any:
        try:
            together.wait()
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(job, range(count)))


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice")


@pytest.fixture
def bob(db: None) -> User:
    return make_user("bob")


@pytest.fixture
def alices(alice: User) -> Client:
    return browser_of(alice)


@pytest.fixture
def bobs(bob: User) -> Client:
    return browser_of(bob)


@pytest.fixture
def carols(db: None) -> Client:
    return browser_of(make_user("carol", is_staff=True, is_superuser=True))


@pytest.fixture
def model(db: None) -> LanguageModel:
    """The only model of the site."""
    return make_model()


def browser_of(user: User) -> Client:
    browser = Client(raise_request_exception=False)
    browser.force_login(user)
    return browser

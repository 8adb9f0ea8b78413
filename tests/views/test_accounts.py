"""Getting in: how often one may try, from where, and what one who forgot the password is told."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.urls import reverse

from chatsite.accounts import address_of
from tests.factories import PASSWORD, make_user

TOO_OFTEN = "That was wrong too often"


@pytest.fixture(autouse=True)
def nothing_tried_yet() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def log_in(path: str, name: str, password: str, **headers: str) -> Any:
    return Client().post(path, {"login": name, "username": name, "password": password}, headers=headers)


@pytest.mark.parametrize(
    ("proxies", "told", "address"),
    [
        (0, "198.51.100.7", "127.0.0.1"),
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "203.0.113.1, 198.51.100.7", "198.51.100.7"),
        (2, "203.0.113.9, 203.0.113.1, 198.51.100.7", "203.0.113.1"),
        (2, "198.51.100.7", "198.51.100.7"),
        (1, "nonsense", "127.0.0.1"),
        (1, "", "127.0.0.1"),
        (1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_who_asks_is_whom_the_first_trusted_proxy_saw(settings: Any, proxies: int, told: str, address: str) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert address_of(RequestFactory().get("/", headers={"X-Forwarded-For": told} if told else {})) == address


@pytest.mark.parametrize("page", ["account_login", "admin:login"])
def test_a_password_may_be_guessed_five_times(db: None, page: str) -> None:
    make_user("carol", is_staff=True)
    for _ in range(5):
        assert TOO_OFTEN not in log_in(reverse(page), "carol", "guessed").content.decode()
    refused = log_in(reverse(page), "carol", PASSWORD)
    assert TOO_OFTEN in refused.content.decode()
    assert refused.status_code == 200


def test_guesses_at_the_site_count_in_the_admin(db: None) -> None:
    make_user("carol", is_staff=True)
    for _ in range(5):
        log_in(reverse("account_login"), "carol", "guessed")
    assert TOO_OFTEN in log_in(reverse("admin:login"), "carol", PASSWORD).content.decode()


@pytest.mark.parametrize("names", [["carolis"] * 5, ["CAROLIS", "carolıs", "caroliſ", " carolis", "Carolis"]], ids=["one", "alike"])
def test_neither_a_port_nor_another_spelling_gives_more_guesses(db: None, names: list[str]) -> None:
    make_user("carolis", is_staff=True)
    for number, name in enumerate(names):
        log_in(reverse("account_login"), name, "guessed", Host=f"localhost:{8000 + number}")
    assert TOO_OFTEN in log_in(reverse("account_login"), "carolis", PASSWORD, Host="localhost:9000").content.decode()


def test_a_flood_of_other_names_does_not_make_the_site_forget_what_was_guessed(db: None) -> None:
    make_user("carol")
    for _ in range(5):
        log_in(reverse("account_login"), "carol", "guessed")
    for number in range(5_000):
        cache.set(f"another-{number}", [1.0])
    assert TOO_OFTEN in log_in(reverse("account_login"), "carol", PASSWORD).content.decode()


def test_staff_log_in_to_the_admin(db: None) -> None:
    make_user("carol", is_staff=True)
    make_user("alice")
    for _ in range(12):
        assert log_in(reverse("admin:login"), "carol", PASSWORD).status_code == 302
    assert "staff account" in log_in(reverse("admin:login"), "alice", PASSWORD).content.decode()


@pytest.mark.parametrize("proxies", [0, 1])
def test_behind_a_proxy_people_are_not_one_address(db: None, settings: Any, proxies: int) -> None:
    settings.TRUSTED_PROXIES = proxies
    make_user("alice")
    for number in range(12):
        log_in(reverse("account_login"), f"mallory{number}", "guessed", X_Forwarded_For="203.0.113.1")
    answer = log_in(reverse("account_login"), "alice", PASSWORD, X_Forwarded_For="198.51.100.7")
    assert (answer.status_code == 302) == bool(proxies)


def test_what_was_tried_too_often_is_refused_in_the_words_of_the_site(db: None) -> None:
    for number in range(31):
        answer = log_in(reverse("account_login"), f"mallory{number}", "guessed")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"
    assert "<h1>That was too often</h1>" in answer.content.decode()


@pytest.mark.parametrize("are_sent", [False, True])
def test_without_a_mail_server_no_mail_is_promised(alice: User, settings: Any, are_sent: bool) -> None:
    settings.MAILS_ARE_SENT = are_sent
    for page in ("account_reset_password", "account_reset_password_done"):
        text = Client().get(reverse(page)).content.decode()
        assert ("This site sends no mails" in text) == (not are_sent)
        assert ('name="email"' in text) == (are_sent and page == "account_reset_password")


@pytest.mark.parametrize("is_open", [False, True])
def test_an_unknown_address_is_invited_only_where_sign_up_is_open(db: None, settings: Any, is_open: bool) -> None:
    settings.ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = settings.SIGNUP_OPEN = is_open
    answer = Client().post(reverse("account_reset_password"), {"email": "nobody@example.org"})
    assert answer.status_code == 302
    assert len(mail.outbox) == int(is_open)

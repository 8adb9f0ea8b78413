"""Every URL there is, found from the resolver, walked with GET and POST as anonymous, as a stranger and as the owner.

A URL that nobody has described fails here: permissions are decided when a URL is made, not when somebody looks.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from conversations.models import (
    Conversation,
    Generation,
    Message,
    Provider,
    SavedPrompt,
    Scope,
    Status,
    SystemPrompt,
    Turn,
    Usage,
    make_token,
    share,
)
from conversations.models.imports import ImportStatus

from .conftest import browser_of
from .factories import PASSWORD, make_folder, make_model, make_provider, make_turn

KEY = "sk-urls-8d1f0c2b7a"
TEXT = "alice wrote this about her secret garden"
HUGE = 10**30


class Address(NamedTuple):
    """One pattern of the resolver."""

    name: str
    route: str

    def filled(self, values: dict[str, Any]) -> str:
        """Return a path that the pattern matches."""
        route = re.sub(r"\(\?P<(\w+)>(?:\[[^]]*\]|[^()])*\)", r"<\1>", self.route).replace("^", "").replace("$", "")
        unknown = set(re.findall(r"<(?:\w+:)?(\w+)>", route)) - values.keys()
        assert not unknown, f"{self.route} takes {unknown}: add a value for it to `values_for` in tests/test_urls.py."
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values[found[1]]), route)


class Expected(NamedTuple):
    """Status codes of (GET, POST)."""

    anonymous: tuple[int, int]
    stranger: tuple[int, int]
    owner: tuple[int, int]


ONLY_POST, ONLY_GET = 405, 405
TO_LOGIN = 302

# A POST without fields: 422 is the sentence beside the form, 302 what was done or a way to log in.
OURS = {
    "home": Expected((TO_LOGIN, ONLY_GET), (200, ONLY_GET), (200, ONLY_GET)),
    "start_conversation": Expected((TO_LOGIN, TO_LOGIN), (302, 422), (302, 422)),
    "conversation": Expected((TO_LOGIN, ONLY_GET), (404, ONLY_GET), (200, ONLY_GET)),
    "conversation_news": Expected((TO_LOGIN, ONLY_GET), (404, ONLY_GET), (200, ONLY_GET)),
    "start_turn": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 422)),
    "rename_conversation": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 422)),
    "conversation_settings": Expected((TO_LOGIN, TO_LOGIN), (404, 404), (200, 302)),
    "delete_conversation": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 302)),
    "restore_conversation": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 404)),
    "answer_events": Expected((401, ONLY_GET), (404, ONLY_GET), (200, ONLY_GET)),
    "answer_source": Expected((TO_LOGIN, ONLY_GET), (404, ONLY_GET), (200, ONLY_GET)),
    "answer_text": Expected((TO_LOGIN, ONLY_GET), (404, ONLY_GET), (200, ONLY_GET)),
    "feedback": Expected((TO_LOGIN, TO_LOGIN), (404, 404), (200, 422)),
    "rewrite_answer": Expected((TO_LOGIN, TO_LOGIN), (404, 404), (200, 422)),
    "approve_call": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 409)),
    "decline_call": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 409)),
    "stop_answer": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 302)),
    "retry_answer": Expected((TO_LOGIN, TO_LOGIN), (404, 404), (200, 302)),
    "continue_answer": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 409)),
    "choose_message": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 302)),
    "keep_answer": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 302)),
    "fork_conversation": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 302)),
    "edit_turn": Expected((TO_LOGIN, TO_LOGIN), (404, 404), (200, 422)),
    "answer_turn": Expected((TO_LOGIN, TO_LOGIN), (404, 404), (200, 302)),
    "delete_turn": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 302)),
    "restore_turn": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 404)),
    "palette": Expected((TO_LOGIN, ONLY_GET), (200, ONLY_GET), (200, ONLY_GET)),
    "share_conversation": Expected((TO_LOGIN, TO_LOGIN), (404, 404), (200, 422)),
    "export_conversation": Expected((TO_LOGIN, ONLY_GET), (404, ONLY_GET), (200, ONLY_GET)),
    "data": Expected((TO_LOGIN, ONLY_GET), (200, ONLY_GET), (200, ONLY_GET)),
    "export_everything": Expected((TO_LOGIN, ONLY_GET), (200, ONLY_GET), (200, ONLY_GET)),
    "start_import": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 422), (ONLY_POST, 422)),
    "import": Expected((TO_LOGIN, ONLY_GET), (404, ONLY_GET), (200, ONLY_GET)),
    "stop_import": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 302)),
    "continue_import": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 302)),
    "shares": Expected((TO_LOGIN, ONLY_GET), (200, ONLY_GET), (200, ONLY_GET)),
    "revoke_share": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 302)),
    "reopen_share": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 404)),
    "continue_shared": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 404)),
    "shared": Expected((404, ONLY_GET), (404, ONLY_GET), (404, ONLY_GET)),
    "prompts": Expected((TO_LOGIN, TO_LOGIN), (200, 422), (200, 422)),
    "prompt_menu": Expected((TO_LOGIN, ONLY_GET), (200, ONLY_GET), (200, ONLY_GET)),
    "saved_prompt": Expected((TO_LOGIN, TO_LOGIN), (404, 404), (200, 422)),
    "delete_prompt": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 200)),
    "use_prompt": Expected((TO_LOGIN, TO_LOGIN), (404, 404), (200, 200)),
    "settings": Expected((TO_LOGIN, TO_LOGIN), (200, 302), (200, 302)),
    "conversation_options": Expected((TO_LOGIN, ONLY_GET), (404, ONLY_GET), (200, ONLY_GET)),
    "presence": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 204)),
    "select_conversations": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 302), (ONLY_POST, 302)),
    "folders": Expected((TO_LOGIN, TO_LOGIN), (200, 422), (200, 422)),
    "rename_folder": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 422)),
    "delete_folder": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 302)),
    "restore_folder": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 404)),
    "archive": Expected((TO_LOGIN, ONLY_GET), (200, ONLY_GET), (200, ONLY_GET)),
    "trash": Expected((TO_LOGIN, ONLY_GET), (200, ONLY_GET), (200, ONLY_GET)),
    "empty_trash": Expected((TO_LOGIN, TO_LOGIN), (200, 200), (200, 200)),
    "search": Expected((TO_LOGIN, ONLY_GET), (200, ONLY_GET), (200, ONLY_GET)),
    "sidebar": Expected((TO_LOGIN, ONLY_GET), (200, ONLY_GET), (200, ONLY_GET)),
    "openai_models": Expected((401, ONLY_GET), (401, ONLY_GET), (401, ONLY_GET)),
    "openai_model": Expected((401, ONLY_GET), (401, ONLY_GET), (401, ONLY_GET)),
    "openai_completions": Expected((ONLY_POST, 401), (ONLY_POST, 401), (ONLY_POST, 401)),
    "tokens": Expected((TO_LOGIN, TO_LOGIN), (200, 422), (200, 422)),
    "revoke_token": Expected((ONLY_POST, TO_LOGIN), (ONLY_POST, 404), (ONLY_POST, 302)),
    "usage": Expected((TO_LOGIN, ONLY_GET), (200, ONLY_GET), (200, ONLY_GET)),
    "theme": Expected((ONLY_POST, 302), (ONLY_POST, 302), (ONLY_POST, 302)),
}

OPEN, CLOSED = {200, 302, 401, 404, 405}, {302, 404, 405}


def addresses(resolver: Any = None, route: str = "", namespace: str = "") -> Iterator[Address]:
    for pattern in (resolver or get_resolver()).url_patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, here, f"{pattern.namespace}:" if pattern.namespace else namespace)
        else:
            assert isinstance(pattern, URLPattern)
            yield Address(namespace + (pattern.name or "unnamed"), here)


def is_allauths(address: Address) -> bool:
    return address.route.startswith("accounts/")


def is_admins(address: Address) -> bool:
    return address.route.startswith("admin/")


def logs_out(address: Address) -> bool:
    """Logging out comes last, so that one browser can walk the rest."""
    return address.name.endswith("logout")


def make_everything(alice: User) -> Turn:
    """An ended turn of alice's, and one row of each other kind."""
    model = make_model(make_provider(api_key=KEY), input_price=1)
    turn = make_turn(owner=alice, prompt=TEXT, model=model)
    Generation.objects.update(status=Status.COMPLETE)
    Message.objects.filter(pk=turn.answer.pk).update(text=f"{TEXT}, and more")
    usage = Usage(generation=turn.generation)
    usage.take_prices(model)
    usage.save()
    share(turn.conversation, None)
    make_folder(alice, name=TEXT)
    alice.imports.create(file_name=f"{TEXT}.zip", status=ImportStatus.STOPPED)
    make_token(alice, TEXT, [Scope.READ], None)
    SystemPrompt.objects.create(name="Kind").add_version("Be kind.")
    SavedPrompt.objects.create(owner=alice, command="garden", text=TEXT)
    return turn


def values_for(address: Address, turn: Turn) -> dict[str, Any]:
    """A value for each name that a pattern of this site takes."""
    kind = next((kind for kind in ContentType.objects.all() if f"/{kind.app_label}/{kind.model}/" in address.route), None)
    row = kind.model_class()._default_manager.first() if kind else None
    conversation = turn.conversation
    own = {
        "conversations/": conversation.pk,
        "messages/": turn.answer.pk,
        "turns/": turn.prompt.pk,
        "shares/": conversation.shares.get().pk,
    }
    own |= {"folders/": conversation.owner.folders.get().pk, "prompts/": SavedPrompt.objects.get().pk}
    own |= {"imports/": conversation.owner.imports.get().pk, "settings/tokens/": conversation.owner.api_tokens.get().pk}
    return {
        "pk": next((pk for start, pk in own.items() if address.route.startswith(start)), 1),
        "object_id": row.pk if row else 1,
        "id": row.pk if row else 1,
        "content_type_id": ContentType.objects.get_for_model(Conversation).pk,
        "app_label": "conversations",
        "url": "nothing/here",
        "token": "guessed" * 6 + "x",  # what a right one shows is said in tests/views/test_shares.py
        "key": "key",
        "call": 1,
        "uidb36": "1",
        "name": "provider/model",
    }


def visit(browser: Client, method: str, path: str) -> HttpResponseBase:
    """Ask, and check what holds for every answer of the site, whoever asks for what."""
    response: Any = getattr(browser, method)(path)
    where = f"{method.upper()} {path}: {response.status_code}"
    body = response.content.decode() if not response.streaming else ""
    assert response.status_code < 500, where
    assert_strict_policy(response, where)
    assert "Traceback" not in body, where
    secrets = [KEY, settings.SECRET_KEY, PASSWORD, *User.objects.values_list("password", flat=True)]
    assert not any(secret in body + str(response.headers) for secret in secrets), where
    return response


def assert_strict_policy(response: Any, where: str) -> None:
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy, where
    assert "unsafe" not in policy, where
    assert "nonce" not in policy, where


def browser_for(who: str, alice: User, bob: User) -> Client:
    people = {"stranger": bob, "owner": alice}
    return browser_of(people[who]) if who in people else Client(raise_request_exception=False)


def text_of(response: Any) -> str:
    return "" if response.streaming else response.content.decode()


def expectation(address: Address) -> Expected:
    assert address.name in OURS, (
        f"The URL {address.route!r} ({address.name}) is new. Say who may GET and POST it: "
        f"add a line {address.name!r}: Expected(anonymous, stranger, owner) to OURS in tests/test_urls.py."
    )
    return OURS[address.name]


OUR_ADDRESSES = [address for address in addresses() if not is_allauths(address) and not is_admins(address)]
ADMIN_ADDRESSES = sorted(filter(is_admins, addresses()), key=logs_out)
ACCOUNT_ADDRESSES = sorted(filter(is_allauths, addresses()), key=logs_out)


def test_the_resolver_was_read_to_the_end() -> None:
    assert {address.name for address in OUR_ADDRESSES} >= OURS.keys(), "OURS names a URL that is gone."
    assert len(ACCOUNT_ADDRESSES) > 5
    assert len(ADMIN_ADDRESSES) > 50


@pytest.mark.parametrize("address", OUR_ADDRESSES, ids=str)
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("who", ["anonymous", "stranger", "owner"])
def test_our_urls_answer_each_person_as_they_should(alice: User, bob: User, address: Address, method: str, who: str) -> None:
    path = address.filled(values_for(address, make_everything(alice)))
    response = visit(browser_for(who, alice, bob), method, path)
    assert response.status_code == getattr(expectation(address), who)[method == "post"]
    if who != "owner":
        assert TEXT not in text_of(response)


@pytest.mark.parametrize("address", OUR_ADDRESSES, ids=str)
@pytest.mark.parametrize("who", ["anonymous", "stranger"])
def test_nobody_else_changes_what_alice_has(alice: User, bob: User, address: Address, who: str) -> None:
    turn = make_everything(alice)
    before = state_of(turn)
    browser = browser_for(who, alice, bob)
    browser.post(address.filled(values_for(address, turn)), {"prompt": "x", "title": "mine now", "model": turn.generation.model_id})
    assert state_of(turn) == before


def state_of(turn: Turn) -> list[Any]:
    conversation = Conversation.objects.filter(pk=turn.conversation.pk)
    messages = Message.objects.filter(conversation=turn.conversation)
    return [*conversation.values(), *messages.values(), *Generation.objects.filter(message__in=messages).values()]


@pytest.mark.parametrize("pk", [0, 999_999, HUGE, -1, "abc", "%00", "1%0a", "١"])
def test_a_number_that_is_nobodys_is_not_found(alice: User, alices: Client, pk: object) -> None:
    make_everything(alice)
    for address in OUR_ADDRESSES:
        if "<int:pk>" in address.route:
            method = "post" if expectation(address).owner[0] == ONLY_POST else "get"
            assert visit(alices, method, address.filled({"pk": pk, "call": 1})).status_code == 404, address


@pytest.mark.parametrize("method", ["put", "patch", "delete", "head", "options", "trace"])
def test_other_methods_change_nothing(alice: User, alices: Client, method: str) -> None:
    turn = make_everything(alice)
    before = state_of(turn)
    for address in OUR_ADDRESSES:
        visit(alices, method, address.filled(values_for(address, turn)))
        assert state_of(turn) == before, address


@pytest.mark.parametrize("who", ["anonymous", "stranger", "owner"])
def test_account_pages_work_for_everyone_and_show_nothing_of_others(alice: User, bob: User, who: str) -> None:
    turn, browser = make_everything(alice), browser_for(who, alice, bob)
    for address in ACCOUNT_ADDRESSES:
        for method in ("get", "post"):
            response = visit(browser, method, address.filled(values_for(address, turn)))
            assert response.status_code in OPEN, (address, response.status_code)
            assert TEXT not in text_of(response)


@pytest.mark.parametrize("who", ["anonymous", "owner"])
def test_the_admin_is_closed_to_everyone_but_staff(alice: User, bob: User, who: str) -> None:
    turn, browser = make_everything(alice), browser_for(who, alice, bob)
    for address in ADMIN_ADDRESSES:
        for method in ("get", "post"):
            response = visit(browser, method, address.filled(values_for(address, turn)))
            is_public = address.name in {"admin:login", "admin:logout", "admin:jsi18n"}
            assert response.status_code in (OPEN if is_public else CLOSED), (address, response.status_code)
            assert TEXT not in text_of(response)


@pytest.mark.parametrize("method", ["get", "post"])
def test_no_page_of_the_admin_fails_for_a_superuser(alice: User, carols: Client, method: str) -> None:
    turn = make_everything(alice)
    for address in ADMIN_ADDRESSES:
        if address.name != "admin:logout":
            visit(carols, method, address.filled(values_for(address, turn)))


@pytest.mark.parametrize("object_id", ["0", str(HUGE), "-1", "abc", "_00", "%00", "1,2"])
def test_the_admin_survives_numbers_that_are_none(alice: User, carols: Client, object_id: str) -> None:
    turn = make_everything(alice)
    for address in ADMIN_ADDRESSES:
        if "object_id" in address.route:
            visit(carols, "get", address.filled(values_for(address, turn) | {"object_id": object_id}))


def test_sign_up_is_closed_unless_it_is_opened(db: None) -> None:
    fields = {"username": "mallory", "password1": PASSWORD, "password2": PASSWORD}
    response = visit(Client(), "get", reverse("account_signup"))
    assert "signup_closed" in str([template.name for template in response.templates])  # type: ignore[attr-defined]
    Client().post(reverse("account_signup"), fields)
    assert not User.objects.filter(username="mallory").exists()


def test_errors_carry_the_policy_too(alices: Client) -> None:
    for path in ("/nothing", "/conversations/1", "/static/nothing.css", "/%2e%2e/secret_key", "/conversations/1/messages"):
        assert visit(alices, "get", path).status_code in {404, 405}
    assert not Provider.objects.exists()

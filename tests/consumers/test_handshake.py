"""Who gets a socket at all: pages of the site and programs; a page of another origin gets none, whoever is logged in there."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from conversations.consumers.socket import Caller, Closed, visitor_in_thread
from conversations.models import ApiToken, Scope, Turn, make_token
from tests.conftest import browser_of
from tests.factories import make_turn

from .caller import HOST, ORIGIN, call, is_refused, person, said

pytestmark = pytest.mark.django_db(transaction=True)


async def turn_of_alice() -> tuple[str, Any]:
    alice, browser = await person("alice")
    turn: Turn = await sync_to_async(make_turn)(owner=alice)
    await sync_to_async(turn.generation.request_stop)()
    return f"/messages/{turn.answer.pk}/events", browser


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        f"https://{HOST}",
        f"{ORIGIN}:8001",
        f"http://{HOST}.evil.example",
        "nonsense",
        "http://[",
        f"{ORIGIN}/x",
    ],
)
async def test_another_origin_is_refused_though_the_cookie_is_right(origin: str) -> None:
    path, browser = await turn_of_alice()
    assert await is_refused(path, browser, origin=origin)


@pytest.mark.parametrize("origin", [ORIGIN, ""], ids=["its own", "a program's"])
async def test_the_sites_own_pages_and_programs_get_a_socket(origin: str) -> None:
    path, browser = await turn_of_alice()
    assert (await said(path, browser, origin=origin))[1] == 1000


async def test_an_origin_that_may_send_forms_gets_a_socket(settings: Any) -> None:
    path, browser = await turn_of_alice()
    settings.CSRF_TRUSTED_ORIGINS = ["https://chat.example.org", "https://*.example.com"]
    for origin in ("https://chat.example.org", "https://a.example.com"):
        assert (await said(path, browser, origin=origin))[1] == 1000
    assert await is_refused(path, browser, origin="https://evil.example.org")


async def test_behind_a_proxy_that_speaks_https_the_origin_is_https(settings: Any) -> None:
    path, browser = await turn_of_alice()
    settings.SECURE_PROXY_SSL_HEADER, settings.SECURE_SSL_REDIRECT = ("HTTP_X_FORWARDED_PROTO", "https"), True
    assert (await said(path, browser, origin=f"https://{HOST}", x_forwarded_proto="https"))[1] == 1000
    assert await is_refused(path, browser, origin=ORIGIN, x_forwarded_proto="https")
    assert await is_refused(path, browser, origin="", x_forwarded_proto="http")


@pytest.mark.parametrize("host", ["evil.example", "", "te st", f"{HOST}@evil.example"])
async def test_a_host_that_is_not_the_sites_is_refused(host: str) -> None:
    path, browser = await turn_of_alice()
    assert await is_refused(path, browser, host=host, origin=f"http://{host}")
    assert await is_refused(path, browser, host=host, origin="")


@pytest.mark.parametrize("cookie", ["sessionid=", "sessionid=unknown", "sessionid=\xff", "x" * 5000, "=;;=", "sessionid=a; sessionid=b"])
async def test_a_cookie_that_is_no_session_is_nobody(cookie: str) -> None:
    path, _ = await turn_of_alice()
    assert await said(path, cookie=cookie) == ([], 4401)


async def test_who_may_not_log_in_any_more_is_nobody() -> None:
    path, browser = await turn_of_alice()
    await User.objects.filter(username="alice").aupdate(is_active=False)
    assert await said(path, browser) == ([], 4401)


@pytest.mark.parametrize("query", ["after=\xff", "after=%ff%00", "&".join(f"a{number}=1" for number in range(2000)), "after=" + "9" * 5000])
async def test_a_strange_query_is_from_the_beginning(query: str) -> None:
    path, browser = await turn_of_alice()
    assert (await said(f"{path}?{query}", browser))[1] == 1000


async def token_of_alice(*scopes: Scope) -> tuple[str, ApiToken, str]:
    path, _ = await turn_of_alice()
    alice = await User.objects.aget()
    return (path, *(await sync_to_async(make_token)(alice, "A script", list(scopes), None)))


async def test_a_program_comes_with_a_token() -> None:
    path, _, secret = await token_of_alice(Scope.READ)
    assert (await said(path, None, origin="", authorization=f"Bearer {secret}"))[1] == 1000


@pytest.mark.parametrize("what", ["wrong", "revoked", "for something else", "beside a right cookie"])
async def test_a_token_that_does_not_open_it_gets_no_socket(what: str) -> None:
    path, token, secret = await token_of_alice(Scope.CHAT if what == "for something else" else Scope.READ)
    if what == "revoked":
        await sync_to_async(token.revoke)()
    browser = await sync_to_async(browser_of)(token.owner) if what.startswith("beside") else None
    secret = secret if what in ("revoked", "for something else") else "chat_wrong"
    assert (await said(path, browser, origin="", authorization=f"Bearer {secret}"))[1] == 4401


async def test_a_socket_ends_with_its_token() -> None:
    _, token, secret = await token_of_alice(Scope.READ)
    visitor = await visitor_in_thread(call("/changes", origin="", authorization=f"Bearer {secret}").scope)
    assert visitor is not None
    caller = Caller(token.owner_id, visitor)
    assert await caller.may_go_on()
    await sync_to_async(token.revoke)()
    with pytest.raises(Closed) as closed:
        await caller.may_go_on()
    assert closed.value.code == 4401

"""The connection test asks a real server over a real socket, and in real transactions: it must wait outside of them."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from conversations.admin.connection import MEANINGS
from conversations.models import Protocol, Provider
from conversations.providers.errors import ContextTooLong, ProviderError
from tests.factories import make_model, make_provider, make_user

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "sk-connection-8d2e61"
LIST = "admin:conversations_provider_changelist"


def change(provider: Provider) -> str:
    return reverse("admin:conversations_provider_change", args=[provider.pk])


def make_api(base_url: str, **fields: Any) -> Provider:
    return make_provider(**{"protocol": Protocol.OPENAI_CHAT, "base_url": base_url} | fields)


type Reply = tuple[int, str]


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Serve one fixed reply to every request, or only to those with `key`; gives the base URL."""
    servers = []

    def start(reply: Reply, key: str = "") -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                is_welcome = not key or self.headers["Authorization"] == f"Bearer {key}"
                body = reply[1].encode() if is_welcome else b"{}"
                self.send_response(reply[0] if is_welcome else 401)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        servers.append(server := ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}/v1"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def offer(*model_ids: str) -> Reply:
    return 200, json.dumps({"object": "list", "data": [{"id": model_id, "object": "model"} for model_id in model_ids]})


def ask(browser: Client, url: str, form: dict[str, Any]) -> tuple[list[str], str]:
    """Run the action; return the messages, and the page that shows them."""
    response = browser.post(url, form, follow=True)
    return [str(message) for message in response.context["messages"]], response.content.decode()


def ask_from_list(browser: Client, *providers: Provider) -> tuple[list[str], str]:
    return ask(browser, reverse(LIST), {"action": "test_connection", "_selected_action": [provider.pk for provider in providers]})


def test_the_connection_test_says_what_is_there_and_what_is_missing(root: Client, serve: Any) -> None:
    provider = make_api(serve(offer("a", "b", "c", "d", "e", "f")), name="House")
    make_model(provider, model_id="a")
    make_model(provider, model_id="gone")
    [said], _ = ask_from_list(root, provider)
    assert said.startswith("House: Reached in 0.")
    assert "6 models there: a, b, c, d, e, …." in said
    assert said.endswith("Ours that are missing there: gone.")


@pytest.mark.parametrize("protocol", [Protocol.OPENAI_RESPONSES, Protocol.ANTHROPIC])
def test_every_protocol_can_be_tested(root: Client, serve: Any, protocol: str) -> None:
    provider = make_api(serve(offer("a", "b"), key=SECRET), protocol=protocol, api_key=SECRET)
    said, _ = ask(root, change(provider), form_of(provider))
    assert "2 models there: a, b." in said[0]
    [said_with_another_key], _ = ask_from_list(root, make_api(serve(offer("a"), key="another"), protocol=protocol, api_key=SECRET))
    assert "The key is wrong or missing." in said_with_another_key


@pytest.mark.parametrize("protocol", [Protocol.OPENAI_RESPONSES, Protocol.ANTHROPIC])
def test_every_protocol_but_the_demo_needs_an_address(root: Client, protocol: str) -> None:
    provider = make_api("", protocol=protocol)
    said, page = ask(root, change(provider), form_of(provider))
    assert said == ["Not tested, and not saved: correct the fields marked below first."]
    assert "This protocol needs the address of the API, for example https://api." in page


def form_of(provider: Provider, **typed: Any) -> dict[str, Any]:
    names = ("name", "slug", "protocol", "base_url", "api_key_variable")
    limits = {"connect_timeout": 10, "first_token_timeout": 120, "idle_timeout": 60, "is_enabled": "on"}
    return {name: getattr(provider, name) for name in names} | limits | {"_test": "Test the connection"} | typed


def test_the_button_of_a_provider_tests_what_is_in_the_form_and_saves_nothing(root: Client, serve: Any) -> None:
    provider = make_api("http://127.0.0.1:9/v1", name="House")
    before = Provider.objects.values().get()
    typed = {"base_url": serve(offer("a", "b")), "name": "Renamed & more", "idle_timeout": 7.5}
    said, page = ask(root, change(provider), form_of(provider, **typed))
    assert said[0].startswith("Renamed & more: Reached in ")
    assert "2 models there: a, b." in said[0]
    assert said[1:] == ["Your changes are not saved yet."]
    for value in (typed["base_url"], "Renamed &amp; more", "7.5"):
        assert f'value="{value}"' in page
    assert Provider.objects.values().get() == before
    assert not LogEntry.objects.exists()


def test_a_form_without_edits_is_tested_with_the_key_there_is(root: Client, serve: Any) -> None:
    provider = make_api(serve(offer("a"), key=SECRET), api_key=SECRET, reports_usage=False)
    [said], page = ask(root, change(provider), form_of(provider))
    assert "1 model there: a." in said
    assert SECRET not in page


def test_a_key_that_was_typed_is_the_one_that_is_tested_and_does_not_come_back(root: Client, serve: Any) -> None:
    provider = make_api(serve(offer("a"), key=SECRET), api_key="sk-the-old-one")
    said, page = ask(root, change(provider), form_of(provider, new_key=SECRET))
    assert "1 model there: a." in said[0]
    assert "give it again before you save" in said[2]
    assert SECRET not in page
    provider.refresh_from_db()
    assert provider.api_key == "sk-the-old-one"


def test_a_key_that_is_to_be_removed_is_not_sent(root: Client, serve: Any) -> None:
    provider = make_api(serve(offer("a"), key=SECRET), api_key=SECRET)
    said, page = ask(root, change(provider), form_of(provider, remove_key="on"))
    assert "The key is wrong or missing." in said[0]
    assert re.search(r'<input type="checkbox" name="remove_key"[^>]* checked', page)


def test_the_stored_key_is_not_sent_to_an_address_that_was_just_typed(root: Client, serve: Any) -> None:
    provider = make_api("https://api.example.com/v1", api_key=SECRET)
    [said], page = ask(root, change(provider), form_of(provider, base_url=serve(offer("a"), key=SECRET)))
    assert said.startswith("Not tested, and not saved")
    assert "The stored key belongs to the old address." in page


def test_a_provider_is_tested_before_it_is_added(root: Client, serve: Any) -> None:
    new = Provider(name="New", slug="new", protocol=Protocol.OPENAI_CHAT, base_url=serve(offer("a")))
    said, _ = ask(root, reverse("admin:conversations_provider_add"), form_of(new))
    assert "1 model there: a." in said[0]
    assert not Provider.objects.exists()


def test_a_refused_key_is_named_and_not_repeated(root: Client, serve: Any) -> None:
    error = {"error": {"message": f"Incorrect API key provided: {SECRET} <script>alert(1)</script>"}}
    provider = make_api(serve((401, json.dumps(error))), api_key=SECRET)
    [said], body = ask_from_list(root, provider)
    assert "The key is wrong or missing." in said
    assert "Unauthorised" not in said
    assert SECRET not in said + body
    assert "<script>alert" not in body
    assert "&lt;script&gt;alert" in body


@pytest.mark.parametrize(("status", "meaning"), [(404, "the base URL may be wrong"), (402, "no credit left"), (429, "too many requests")])
def test_a_refusal_is_explained(root: Client, serve: Any, status: int, meaning: str) -> None:
    [said], _ = ask_from_list(root, make_api(serve((status, "{}"))))
    assert meaning in said


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:9/v1", "http://[::1]:9", "http://host.invalid/v1"])
def test_nobody_at_the_address_is_a_sentence(root: Client, base_url: str) -> None:
    [said], _ = ask_from_list(root, make_api(base_url, name="House"))
    assert said.startswith("House: Not reached. Check the base URL")
    assert not re.search(r"[a-z][A-Z]\w+: ", said)  # the name of an exception


def test_a_page_that_is_no_api_is_a_sentence(root: Client, serve: Any) -> None:
    [said], _ = ask_from_list(root, make_api(serve((200, "<html>hello</html>"))))
    assert "not with a list of models: the base URL may be wrong" in said


def test_each_error_is_a_sentence_without_a_code_name() -> None:
    for error in ProviderError.__subclasses__():
        sentence = MEANINGS.get(error, "")
        assert error.__name__ not in sentence
        assert sentence.endswith(".") or error is ContextTooLong  # a list of models has no context


def test_several_providers_are_tested_at_once(root: Client, serve: Any) -> None:
    providers = [make_api(serve(offer("a"))), make_api("http://127.0.0.1:9/v1"), make_provider()]
    said, _ = ask_from_list(root, *providers)
    assert len(said) == 3


def test_who_may_only_look_cannot_send_the_key_anywhere(client: Client, db: None) -> None:
    provider = make_api("http://127.0.0.1:9/v1", api_key=SECRET)
    client.force_login(make_user(is_staff=True, permissions=("view_provider",)))
    body = client.get(change(provider)).content.decode()
    assert "Test the connection" not in body
    assert 'type="password"' not in body
    assert ">stored<" in body
    said, _ = ask_from_list(client, provider)
    assert said == []
    assert client.post(change(provider), form_of(provider)).status_code == 403

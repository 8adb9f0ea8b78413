"""The connection test asks a real server over a real socket, and in real transactions: it must wait outside of them."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from conversations.models import Protocol, Provider
from tests.factories import make_model, make_provider, make_user

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "sk-connection-8d2e61"
LIST = "admin:conversations_provider_changelist"


def change(provider: Provider) -> str:
    return reverse("admin:conversations_provider_change", args=[provider.pk])


def make_api(base_url: str, **fields: Any) -> Provider:
    return make_provider(protocol=Protocol.OPENAI_CHAT, base_url=base_url, **fields)


type Reply = tuple[int, str]


@pytest.fixture
def serve() -> Iterator[Callable[[Reply], str]]:
    """Serve one fixed reply to every request; gives the base URL."""
    servers = []

    def start(reply: Reply) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = reply[1].encode()
                self.send_response(reply[0])
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


def test_the_change_page_tests_the_connection_after_its_transaction(root: Client, serve: Any) -> None:
    provider = make_api(serve(offer("a")))
    assert "Test the connection" in root.get(change(provider)).content.decode()
    form = {"CHANGE_FORM-action": "test_connection", "_selected_action": [provider.pk], "index": 0}
    [said], _ = ask(root, change(provider), form)
    assert "1 model there: a." in said


def test_a_refused_key_is_named_and_not_repeated(root: Client, serve: Any) -> None:
    error = {"error": {"message": f"Incorrect API key provided: {SECRET} <script>alert(1)</script>"}}
    provider = make_api(serve((401, json.dumps(error))), api_key=SECRET)
    [said], body = ask_from_list(root, provider)
    assert "Unauthorised: the key is wrong or missing." in said
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
    assert said.startswith("House: Unavailable")


def test_a_page_that_is_no_api_is_a_sentence(root: Client, serve: Any) -> None:
    [said], _ = ask_from_list(root, make_api(serve((200, "<html>hello</html>"))))
    assert "Malformed" in said


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

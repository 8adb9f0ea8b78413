"""The door for OpenAI's clients, with real ones against a real server: the `openai` package, and the command `llm`."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.server import LIMIT, Server, run

MAKE_TOKEN = """
import django
django.setup()
from django.contrib.auth.models import User
from conversations.models import Scope, make_token
from django.conf import settings
admin = User.objects.get(username="admin")
for name, scopes in (("chat", [Scope.CHAT]), ("read", [Scope.READ])):
    token, secret = make_token(admin, name, scopes, None)
    (settings.DATA_DIR / name).write_text(secret)
"""
ECHO = "echo/echo"
MANY = 40


class Site(Server):
    clients: ExitStack

    def token(self, name: str = "chat") -> str:
        return (self.data_dir / name).read_text()

    def client(self, token: str = "") -> openai.OpenAI:
        client = openai.OpenAI(base_url=f"http://127.0.0.1:{self.port}/v1", api_key=token or self.token(), max_retries=0, timeout=LIMIT)
        self.clients.callback(client.close)
        return client

    def ledger(self) -> list[tuple[Any, ...]]:
        """The rows of calls: tokens in, tokens out, whether they are estimated; oldest first."""
        found = "SELECT input_tokens, output_tokens, is_estimated FROM conversations_usage WHERE purpose = 'api' ORDER BY id"
        return self.rows(found)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("completions") / "data")
    site.more = {"WEB_THREADS": "2", "ANSWERS_AT_ONCE": str(MANY)}
    with site.running(), ExitStack() as site.clients:
        run(MAKE_TOKEN, site.data_dir)
        yield site


def ask(site: Site, prompt: str, **how: Any) -> Any:
    return site.client().chat.completions.create(model=ECHO, messages=[{"role": "user", "content": prompt}], **how)


def test_models_are_listed_under_the_names_they_answer_to(site: Site) -> None:
    client = site.client()
    listed = {model.id: model for model in client.models.list()}
    assert ECHO in listed
    assert client.models.retrieve(ECHO).owned_by == "echo"
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("echo/nothing")
    assert refused.value.code == "model_not_found"


def test_an_answer_in_one_piece(site: Site) -> None:
    before = len(site.ledger())
    answer = ask(site, "Why is the sky blue? /think /rate 5000", temperature=0.5, max_completion_tokens=500)
    (choice,) = answer.choices
    assert (answer.object, answer.model, choice.finish_reason, choice.message.role) == ("chat.completion", ECHO, "stop", "assistant")
    assert "Why is the sky blue?" in choice.message.content
    assert choice.message.reasoning_content
    rows = site.ledger()[before:]
    assert rows == [(answer.usage.prompt_tokens, answer.usage.completion_tokens, 0)]
    assert answer.usage.total_tokens == sum(rows[0][:2]) > 0
    assert float(answer.usage.cost) == 0


@pytest.mark.parametrize("wants_usage", [True, False])
def test_an_answer_as_a_stream(site: Site, wants_usage: bool) -> None:
    before = len(site.ledger())
    options = {"stream_options": {"include_usage": True}} if wants_usage else {}
    chunks = list(ask(site, "Why is the sky blue? /rate 5000", stream=True, **options))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert "Why is the sky blue?" in text
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert len({chunk.id for chunk in chunks}) == 1
    (row,) = site.ledger()[before:]
    usages = [chunk.usage for chunk in chunks if chunk.usage]
    assert [(usage.prompt_tokens, usage.completion_tokens, 0) for usage in usages] == ([row] if wants_usage else [])
    assert chunks[-1].choices == [] if wants_usage else chunks[-1].choices


def test_a_conversation_with_a_system_prompt(site: Site) -> None:
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": "One"},
        {"role": "assistant", "content": "Two"},
        {"role": "user", "content": [{"type": "text", "text": "Three "}, {"type": "text", "text": "/rate 5000"}]},
    ]
    answer = site.client().chat.completions.create(model=ECHO, messages=messages)
    assert "Three" in answer.choices[0].message.content


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("command", "error", "code"),
    [
        ("rate_limited", openai.RateLimitError, "rate_limited"),
        ("context_too_long", openai.BadRequestError, "context_too_long"),
        ("refused", openai.BadRequestError, "refused"),
        ("unavailable", openai.InternalServerError, "unavailable"),
        ("unauthorised", openai.InternalServerError, "unauthorised"),
    ],
)
def test_an_error_before_the_first_word_is_a_status(
    site: Site, command: str, error: type[openai.APIStatusError], code: str, stream: bool
) -> None:
    before = len(site.ledger())
    with pytest.raises(error) as refused:
        ask(site, f"/fail {command}", stream=stream)
    told = refused.value
    assert told.body["message"]
    assert told.type in ("invalid_request_error", "server_error")
    assert (told.response.headers.get("Retry-After") == "20") == (command == "rate_limited")
    assert len(site.ledger()) == before + 1


def test_an_error_in_the_middle_is_told_in_the_stream(site: Site) -> None:
    before, pieces = len(site.ledger()), list[str]()
    stream = ask(site, "/fail unavailable middle /rate 5000", stream=True)
    with pytest.raises(openai.APIError, match="broke off") as refused:
        pieces.extend(chunk.choices[0].delta.content or "" for chunk in stream)
    assert "".join(pieces)
    assert refused.value.code == "unavailable"
    ((_, written, is_estimated),) = site.ledger()[before:]
    assert (written > 0, is_estimated) == (True, 1)


def test_a_client_that_hangs_up_ends_the_call_and_pays_for_what_was_written(site: Site) -> None:
    before = len(site.ledger())
    stream = ask(site, "/pause 3600 /long 5 /rate 5000", stream=True)
    for chunk in stream:
        if chunk.choices[0].delta.content:
            break
    assert open_calls(site) == 1
    stream.close()
    site.wait(lambda: len(site.ledger()) > before)
    ((_, written, is_estimated),) = site.ledger()[before:]
    assert (written > 0, is_estimated) == (True, 1)
    assert open_calls(site) == 0


def test_a_client_that_hangs_up_before_the_first_word_ends_the_call_too(site: Site) -> None:
    before = len(site.ledger())
    with pytest.raises(openai.APITimeoutError):
        site.client().with_options(timeout=0.5).chat.completions.create(model=ECHO, messages=[{"role": "user", "content": "/silent"}])
    site.wait(lambda: len(site.ledger()) > before)
    assert open_calls(site) == 0


def open_calls(site: Site) -> int:
    return int(site.rows("SELECT count(*) FROM conversations_apicall")[0][0])


def test_open_calls_hold_no_thread_and_no_connection(site: Site) -> None:
    clients, before = [], {what: site.count(what) for what in ("threads", "database")}
    try:
        for number in range(MANY):
            body = json.dumps({"model": ECHO, "messages": [{"role": "user", "content": "/silent"}], "stream": bool(number % 2)})
            clients.append(posted(site, body))
        site.wait(lambda: open_calls(site) == MANY)
        assert site.ask("GET", "/").status == 200
        assert site.count("threads") <= before["threads"] + 2  # those of the pool that had nothing to do before
        assert site.count("database") <= before["database"] + 4
        with pytest.raises(openai.RateLimitError, match="40 answers of yours") as refused:
            ask(site, "One more", stream=True)
        assert refused.value.code == "too_many_at_once"
        assert int(refused.value.response.headers["Retry-After"]) > 0
    finally:
        for client in clients:
            client.close()
    site.wait(lambda: open_calls(site) == 0)


def posted(site: Site, body: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", site.port), timeout=LIMIT)
    head = [
        "POST /v1/chat/completions HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {site.token()}",
        f"Content-Length: {len(body)}",
    ]
    client.sendall("\r\n".join([*head, "", body]).encode())
    return client


@pytest.mark.parametrize(("token", "error"), [("chat_wrong", openai.AuthenticationError), ("read", openai.PermissionDeniedError)])
def test_another_token_opens_nothing(site: Site, token: str, error: type[openai.APIStatusError]) -> None:
    client = site.client(site.token("read") if token == "read" else token)
    for call in (client.models.list, lambda: client.chat.completions.create(model=ECHO, messages=[{"role": "user", "content": "Hello"}])):
        with pytest.raises(error) as refused:
            call()
        assert refused.value.response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_session_opens_nothing(site: Site) -> None:
    for method, path in (("GET", "/v1/models"), ("POST", "/v1/chat/completions")):
        reply = site.ask(method, path, {} if method == "POST" else None)
        assert (reply.status, reply.json["error"]["code"]) == (401, "no_token")


def test_llm_asks_and_streams(site: Site, tmp_path: Path) -> None:
    models = f"- model_id: ours\n  model_name: {ECHO}\n  api_base: http://127.0.0.1:{site.port}/v1\n  api_key_name: ours\n"
    (tmp_path / "extra-openai-models.yaml").write_text(models)
    (tmp_path / "keys.json").write_text(json.dumps({"ours": site.token()}))
    environment = {
        **os.environ,
        "LLM_USER_PATH": str(tmp_path),
        "LLM_LOAD_PLUGINS": "",
    }  # one of them carries the weights of the local model
    before = len(site.ledger())
    for more in ([], ["--no-stream"]):
        command = [sys.executable, "-m", "llm", "-m", "ours", "-s", "Be kind.", "Why is the sky blue? /rate 5000", *more]
        told = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT)
        assert told.returncode == 0, told.stderr
        assert "Why is the sky blue?" in told.stdout
    assert len(site.ledger()) == before + 2

"""What may be asked over the door for OpenAI's clients: everything else is refused by its name, before anybody is asked."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from conversations.forms.completions import NotSupported, completion_in
from conversations.models import ApiCall, LanguageModel, Scope, Usage, make_token
from tests.factories import make_group, make_model, make_provider, make_user

USER = {"role": "user", "content": "Why is the sky blue?"}
URL = "/v1/chat/completions"


@pytest.fixture
def ask(alice: User) -> Any:
    _, secret = make_token(alice, "A script", [Scope.CHAT], None)

    def ask_with_token(body: Any, url: str = URL) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body)
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        return client.post(url, data, content_type="application/json", headers={"Authorization": f"Bearer {secret}"})

    return ask_with_token


def asked(**fields: Any) -> Any:
    return completion_in(json.dumps({"model": "a/b", "messages": [USER], **fields}).encode())


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"n": True}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"modalities": ["audio"]}, "modalities"),
        ({"audio": {"voice": "x"}}, "audio"),
        ({"store": True}, "store"),
        ({"<script>": 1}, "<script>"),
        ({"x" * 1000: 1}, "x" * 60),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "messages[0].content[0]"),
        ({"messages": [USER, {"role": "tool", "content": "4", "tool_call_id": "x"}]}, "messages[1]"),
        ({"messages": [USER, {"role": "assistant", "content": None, "tool_calls": [{}]}]}, "messages[1]"),
        ({"messages": [USER, {"role": "system", "content": "Be kind."}]}, "messages[1]"),
        ({"messages": [{"role": "system", "content": "Be kind."}]}, "messages"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_not_supported_is_refused_by_its_name(ask: Any, model: LanguageModel, fields: dict[str, Any], param: str) -> None:
    response = ask({"model": str(model.pk), "messages": [USER], **fields})
    error = response.json()["error"]
    assert (response.status_code, error["param"], error["type"]) == (400, param, "invalid_request_error")
    assert error["message"].endswith(".")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"model": NaN}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"model": "\xff"}',
        b'{"model": "\\ud800", "messages": []}',
        b'{"messages": []}',
        b'{"model": "a/b"}',
        b'{"model": 1, "messages": []}',
        b'{"model": "a/b", "messages": []}',
        b'{"model": "a/b", "messages": {}}',
        b'{"model": "a/b", "messages": [null]}',
        b'{"model": "a/b", "messages": [{"role": "wizard", "content": "x"}]}',
        b'{"model": "a/b", "messages": [{"role": "user", "content": 5}]}',
        b'{"model": "a/b", "messages": [{"role": "user", "content": "x"}], "temperature": 3}',
        b'{"model": "a/b", "messages": [{"role": "user", "content": "x"}], "temperature": "hot"}',
        b'{"model": "a/b", "messages": [{"role": "user", "content": "x"}], "max_tokens": 0}',
        b'{"model": "a/b", "messages": [{"role": "user", "content": "x"}], "max_tokens": 1e400}',
        b'{"model": "a/b", "messages": [{"role": "user", "content": "x"}], "stream": "yes"}',
        b'{"model": "a/b", "messages": [{"role": "user", "content": "x"}], "stream_options": 1}',
    ],
    ids=lambda body: body[:50].decode("latin1"),
)
def test_what_cannot_be_understood_is_refused_in_words(ask: Any, body: bytes) -> None:
    response = ask(body)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid_request"


@pytest.mark.postgresql
@pytest.mark.parametrize("name", ["", "nothing", "a/b", "a/b/c", "\0", "x/\0", "99999999999999999999999", "-1", "x" * 1000])
def test_a_model_that_is_none_is_not_found(ask: Any, model: LanguageModel, name: str) -> None:
    response = ask({"model": name, "messages": [USER]})
    assert (response.status_code, response.json()["error"]["code"]) == (404, "model_not_found")


def test_a_model_that_people_may_not_pick_is_not_found(ask: Any) -> None:
    theirs = make_model()
    theirs.groups.add(make_group("", make_user("bob")))
    hidden = [make_model(is_enabled=False), make_model(make_provider(is_enabled=False)), theirs]
    for model in hidden:
        assert ask({"model": f"{model.provider.slug}/{model.model_id}", "messages": [USER]}).status_code == 404


def test_a_body_that_is_too_large_is_refused_in_openais_form(ask: Any, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    response = ask({"model": "a/b", "messages": [USER | {"content": "x" * 1000}]})
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_another_address_below_is_not_found_in_openais_form(ask: Any) -> None:
    response = ask({"input": "x"}, "/v1/embeddings")
    assert (response.status_code, response.json()["error"]["type"]) == (404, "invalid_request_error")


def test_what_is_refused_begins_nothing(ask: Any, model: LanguageModel) -> None:
    ask({"model": str(model.pk), "messages": []})
    assert not ApiCall.objects.exists()
    assert not Usage.objects.exists()


def test_parameters_go_on_as_they_are_and_both_names_of_the_limit_are_one() -> None:
    given = {"temperature": 0.5, "stop": ["a", "b"], "response_format": {"type": "json_object"}, "seed": 7, "logit_bias": {"5": -100}}
    neutral = {"n": 1, "tools": [], "user": "somebody", "metadata": {"a": "b"}, "parallel_tool_calls": False, "top_p": None}
    assert asked(**given, **neutral, max_completion_tokens=50, max_tokens=70).parameters == {**given, "max_tokens": 50}


def test_system_messages_at_the_beginning_are_one_system_prompt() -> None:
    messages = [{"role": "system", "content": "One."}, {"role": "developer", "content": [{"type": "text", "text": "Two."}]}, USER]
    assert asked(messages=messages).spoken() == ("One.\n\nTwo.", [("user", USER["content"])])


@pytest.mark.parametrize("value", [1, 1.0])
def test_what_is_neutral_is_so_by_its_type_too(value: Any) -> None:
    if type(value) is int:
        assert asked(n=value).parameters == {}
    else:
        with pytest.raises(NotSupported):
            asked(n=value)

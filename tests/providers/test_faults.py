"""What a provider says went wrong, as an error of ours: by status and code, whatever its message says."""

import json
from typing import Any

import pytest

from conversations.providers import errors

from .wire import ask, read, recorded, serve, whole

STATUSES: list[tuple[int, dict[str, Any], type[errors.ProviderError]]] = [
    (400, {"code": None, "type": "invalid_request_error"}, errors.Refused),
    (400, {"code": "context_length_exceeded", "type": "invalid_request_error"}, errors.ContextTooLong),
    (401, {"code": "invalid_api_key"}, errors.Unauthorised),
    (402, {"code": 402}, errors.RateLimited),
    (403, {}, errors.Unauthorised),
    (404, {"code": "model_not_found"}, errors.Refused),
    (408, {}, errors.Unavailable),
    (413, {}, errors.ContextTooLong),
    (422, {}, errors.Refused),
    (429, {"code": "insufficient_quota"}, errors.RateLimited),
    (500, {"code": "context_length_exceeded"}, errors.Unavailable),
    (503, {"type": "unavailable_error"}, errors.Unavailable),
    (529, {}, errors.Unavailable),
]


@pytest.mark.parametrize(("status", "error", "kind"), STATUSES)
async def test_a_status_is_an_error_by_type(status: int, error: dict[str, Any], kind: type[errors.ProviderError]) -> None:
    body = json.dumps({"error": {"message": "the context is fine, rate limit, key", **error}}).encode()
    async with serve(whole(body, "application/json", status)) as (wire, adapter):
        stream = adapter.stream(ask())
        with pytest.raises(errors.ProviderError) as raised:
            await read(stream)
    assert type(raised.value) is kind
    assert stream.request_id == "req-1"
    assert len(wire.requests) == 1, "an adapter never retries"


async def test_a_context_error_of_llama_cpp_is_known_by_its_type() -> None:
    async with serve(whole(recorded("llama_cpp_context.json"), "application/json", 400)) as (_, adapter):
        with pytest.raises(errors.ContextTooLong):
            await read(adapter.stream(ask()))


async def test_an_html_page_with_an_error_status_is_told_by_its_status() -> None:
    async with serve(whole(recorded("sign_in.html"), "text/html", 502)) as (_, adapter):
        with pytest.raises(errors.Unavailable):
            await read(adapter.stream(ask()))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ("Retry-After: 7\r\n", 7),
        ("retry-after-ms: 1500\r\nRetry-After: 7\r\n", 1.5),
        ("Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", 0),
        ("Retry-After: -3\r\n", 0),
        ("Retry-After: nan\r\n", None),
        ("Retry-After: soon\r\n", None),
        ("", None),
    ],
)
async def test_a_rate_limit_says_how_long_to_wait(headers: str, seconds: float | None) -> None:
    async with serve(whole(b"{}", "application/json", 429, headers)) as (_, adapter):
        with pytest.raises(errors.RateLimited) as raised:
            await read(adapter.stream(ask()))
    assert raised.value.retry_after == seconds


async def test_the_key_is_never_in_the_detail() -> None:
    body = b'{"error":{"message":"Incorrect API key provided: sk-secret-1"}}'
    async with serve(whole(body, "application/json", 401), api_key="sk-secret-1 ") as (wire, adapter):
        with pytest.raises(errors.Unauthorised) as raised:
            await read(adapter.stream(ask()))
    assert "authorization: bearer sk-secret-1\r\n" in wire.head
    assert "sk-secret-1" not in raised.value.detail


async def test_nobody_at_the_address_is_unavailable() -> None:
    async with serve(whole(b"")) as (_, adapter):
        pass  # closed again, so the port refuses
    with pytest.raises(errors.Unavailable):
        await read(adapter.stream(ask()))
    await adapter.aclose()


@pytest.mark.parametrize("base_url", ["http://no-such-host.invalid/v1", "http://[", "ftp://example.org", "", "https://127.0.0.1:1/v1"])
async def test_an_address_that_leads_nowhere_is_unavailable(base_url: str) -> None:
    async with serve(whole(b""), base_url=base_url) as (_, adapter):
        with pytest.raises(errors.Unavailable):
            await read(adapter.stream(ask()))
        with pytest.raises(errors.Unavailable):
            await adapter.list_models()


async def test_a_handshake_that_never_ends_is_unavailable_after_the_connect_timeout() -> None:
    async with serve(whole(b"")) as (_, plain):
        base_url = plain.endpoint.base_url.replace("http:", "https:")
        async with serve(whole(b""), base_url=base_url, connect_timeout=0.2) as (_, adapter):
            with pytest.raises(errors.Unavailable):
                await read(adapter.stream(ask()))

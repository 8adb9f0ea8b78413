"""What a provider says went wrong, as an error of ours: by status and code, and by its message only where a server has nothing else."""

import json
from typing import Any

import pytest

from conversations.providers import errors

from .wire import ask, read, recorded, serve, whole

STATUSES: list[tuple[int, dict[str, Any], type[errors.ProviderError]]] = [
    (400, {"code": None, "type": "invalid_request_error"}, errors.Refused),
    (400, {"code": "context_length_exceeded", "type": "invalid_request_error"}, errors.ContextTooLong),
    (401, {"code": "invalid_api_key"}, errors.Unauthorised),
    (402, {"code": 402}, errors.NoCredit),
    (403, {}, errors.Unauthorised),
    (400, {"code": "model_not_found"}, errors.ModelUnknown),
    (404, {"code": "model_not_found"}, errors.ModelUnknown),
    (404, {"type": "NotFoundError", "code": 404}, errors.ModelUnknown),
    (408, {}, errors.Unavailable),
    (413, {}, errors.ContextTooLong),
    (422, {}, errors.Refused),
    (429, {"code": "insufficient_quota"}, errors.NoCredit),
    (429, {"code": "rate_limit_exceeded"}, errors.RateLimited),
    (500, {"code": "context_length_exceeded"}, errors.Faulty),
    (503, {"type": "unavailable_error"}, errors.Faulty),
    (529, {}, errors.Faulty),
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


TOO_LONG = [
    # vLLM to 0.9, since 0.10, and before it counts the answer in
    '{"object":"error","type":"BadRequestError","param":null,"code":400,"message":"This model\'s maximum context length is 6048 tokens. '
    'However, you requested 6616 tokens (568 in the messages, 6048 in the completion)."}',
    '{"error":{"message":"This model\'s maximum context length is 2048 tokens. However, your request has 8 input tokens plus 2045 '
    '\'max_tokens\'.","type":"BadRequestError","param":"input_tokens, max_tokens","code":400}}',
    '{"object":"error","type":"BadRequestError","code":400,"message":"The decoder prompt (length 5000) is longer than the maximum model '
    'length of 4096."}',
    '{"error":"The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 13055>= n_ctx: 4096)."}',
    '{"error":"Trying to keep the first 15857 tokens when context the overflows."}',
    '{"error":{"message":"the input length exceeds the context length","type":"api_error","param":null,"code":null}}',
    '{"error":{"code":400,"message":"the request exceeds the available context size. try increasing it","type":"invalid_request_error"}}',
    '{"error":{"message":"prompt is too long: 213462 tokens > 200000 maximum","type":"invalid_request_error"}}',
    '{"error":{"code":400,"message":"The input token count (1196265) exceeds the maximum number of tokens allowed (1048575)."}}',
]


@pytest.mark.parametrize("body", TOO_LONG)
@pytest.mark.parametrize("status", [400, 200])
async def test_a_conversation_that_is_too_long_is_known_by_the_text_of_servers_that_have_no_code(body: str, status: int) -> None:
    if status == 200 and not body.startswith('{"error"'):
        body = f'{{"error": {body}}}'
    async with serve(whole(body.encode(), "application/json", status)) as (_, adapter):
        with pytest.raises(errors.ContextTooLong):
            await read(adapter.stream(ask()))


@pytest.mark.parametrize(
    "said",
    [
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
        "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.",
    ],
)
async def test_an_empty_account_is_known_by_the_text_where_it_comes_as_a_bad_request(said: str) -> None:
    body = json.dumps({"type": "error", "error": {"type": "invalid_request_error", "message": said}}).encode()
    async with serve(whole(body, "application/json", 400), "anthropic") as (_, adapter):
        with pytest.raises(errors.NoCredit):
            await read(adapter.stream(ask()))


@pytest.mark.parametrize(
    ("status", "kind"), [(401, errors.Unauthorised), (402, errors.NoCredit), (404, errors.ModelUnknown), (429, errors.RateLimited)]
)
async def test_the_text_of_a_message_overrules_no_status_that_is_clear(status: int, kind: type[errors.ProviderError]) -> None:
    async with serve(whole(TOO_LONG[0].encode(), "application/json", status)) as (_, adapter):
        with pytest.raises(kind):
            await read(adapter.stream(ask()))


def test_what_staff_must_mend_says_whom_to_tell() -> None:
    for kind in (errors.Unauthorised, errors.NoCredit, errors.ModelUnknown):
        assert "staff of this site" in kind.sentence
        assert "another" in kind.sentence
        assert "ephrase" not in kind.sentence


@pytest.mark.parametrize("kind", errors.ProviderError.__subclasses__())
def test_only_an_answer_that_has_begun_is_said_to_be_kept(kind: type[errors.ProviderError]) -> None:
    assert "kept" not in kind().told(has_begun=False)
    assert ("kept" in kind().told(has_begun=True)) == (kind in (errors.Malformed, errors.IdleTimeout, errors.Unavailable))


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


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 second"), (20, "20 seconds"), (119, "119 seconds"), (125, "3 minutes"), (3600, "60 minutes"), (86_400, "24 hours")],
)
def test_a_time_to_wait_is_told_in_a_unit_that_fits(seconds: float, words: str) -> None:
    assert f"Try again in {words}," in errors.RateLimited(retry_after=seconds).sentence


def test_a_provider_that_failed_was_reached() -> None:
    assert "cannot be reached" not in errors.Faulty().sentence
    assert errors.Faulty.code == errors.Unavailable.code
    assert errors.Faulty.is_temporary

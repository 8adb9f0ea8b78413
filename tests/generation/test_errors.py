"""What goes wrong upstream, kind by kind: what is kept, what the person is told, and what it costs."""

import asyncio
from decimal import Decimal

import pytest
from asgiref.sync import sync_to_async

from conversations.models import JournalEntry, LanguageModel, Protocol, Status, Usage
from conversations.providers.echo_commands import FAILURES
from tests.factories import make_model, make_provider, make_turn
from tests.live import PATIENCE, ask, ended, working_supervisor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("code", FAILURES)
async def test_an_error_before_the_first_token_is_told_in_a_sentence(code: str) -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        done = await ended((await ask(f"/fail {code}")).generation.pk)
    usage = await Usage.objects.aget(generation=done, attempt=done.attempt)
    assert (done.status, done.error_code, done.message.text) == (Status.FAILED, code, "")
    assert done.error_sentence.endswith(".")
    assert "kept" not in done.error_sentence
    assert done.error_detail == "the demo was told to"
    assert done.first_token_at is None
    is_billed = FAILURES[code].reached_model
    assert (usage.input_tokens > 0) == is_billed
    assert usage.output_tokens == 0
    assert usage.is_estimated


@pytest.mark.parametrize("code", FAILURES)
async def test_an_error_in_the_middle_keeps_what_there_is(code: str) -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        done = await ended((await ask(f"/long 2 /rate 2000 /fail {code} middle")).generation.pk)
    usage = await Usage.objects.aget(generation=done)
    assert (done.status, done.error_code) == (Status.FAILED, code)
    assert len(done.message.text) > 100
    assert ("is kept" in done.error_sentence) == (code in {"malformed", "idle_timeout", "unavailable"})
    assert usage.is_estimated
    assert usage.input_tokens > 0
    assert usage.output_tokens > 0
    assert not await JournalEntry.objects.aexists()


async def test_a_rate_limit_says_how_long_to_wait() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        done = await ended((await ask("/fail rate_limited")).generation.pk)
    assert "in 20 seconds" in done.error_sentence


async def test_a_provider_that_is_not_there_is_an_error_like_any_other() -> None:
    model = await sync_to_async(make_model_of_nobody)()
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        done = await ended((await ask("hello", model=model)).generation.pk)
    assert (done.status, done.error_code) == (Status.FAILED, "unavailable")
    assert "sk-secret" not in done.error_detail
    assert {usage.cost async for usage in Usage.objects.filter(generation=done)} == {0}


def make_model_of_nobody() -> LanguageModel:
    provider = make_provider(protocol=Protocol.OPENAI_CHAT, base_url="http://127.0.0.1:9/v1", api_key="sk-secret")
    return make_model(provider, input_price=5)


async def test_a_protocol_nobody_speaks_ends_the_answer_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    model = await sync_to_async(make_model)(await sync_to_async(make_provider)(protocol="telepathy"))
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        done = await ended((await ask("hello", model=model)).generation.pk)
        assert (await ended((await ask("hello /rate 5000")).generation.pk)).status == Status.COMPLETE
    assert (done.status, done.error_code) == (Status.FAILED, "internal_error")
    assert "telepathy" in caplog.text
    assert "telepathy" not in done.error_sentence


async def test_a_model_that_vanishes_while_its_answer_waits_ends_the_answer() -> None:
    turn = await sync_to_async(make_turn)(prompt="hello")
    await turn.generation.model.adelete()  # type: ignore[union-attr]
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        done = await ended(turn.generation.pk)
    assert done.status == Status.FAILED
    assert done.error_sentence
    assert not await Usage.objects.aexists()


async def test_without_usage_from_the_provider_the_bill_is_an_estimate_and_says_so() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        done = await ended((await ask("/nousage hello /rate 5000")).generation.pk)
    usage = await Usage.objects.aget(generation=done)
    assert done.status == Status.COMPLETE
    assert usage.is_estimated
    assert usage.output_tokens >= len(done.message.text) // 4


async def test_the_providers_own_count_is_the_bill_to_the_last_digit() -> None:
    model = await sync_to_async(make_model)(input_price=Decimal("0.15"), cached_input_price=Decimal("0.075"), output_price=Decimal("0.6"))
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        done = await ended((await ask("hello there /rate 5000", model=model)).generation.pk)
    usage = await Usage.objects.aget(generation=done)
    assert not usage.is_estimated
    assert usage.input_tokens == 4
    assert usage.cost == (usage.input_tokens * Decimal("0.15") + usage.output_tokens * Decimal("0.6")) / 1_000_000
    assert (usage.model_id, usage.model_name, usage.attempt) == (model.pk, model.name, 1)

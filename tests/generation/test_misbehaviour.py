"""Every way in which a provider misbehaves, through the whole site: what came is kept and shown, the fault is named, and Retry answers."""

import asyncio
import html
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from conversations.models import Generation, LanguageModel, Protocol, Provider, Status, Usage
from tests.conftest import browser_of
from tests.factories import make_model, make_provider, make_user
from tests.live import PATIENCE, ask, ended, generation_of, page_events, until, working_supervisor
from tests.providers.test_openai_chat import BROKEN, QUIRKS
from tests.providers.wire import Answer, Line, recorded, serve, whole
from tests.providers.wires import WIRES

pytestmark = pytest.mark.django_db(transaction=True)
PATIENT = {"first_token_timeout": 120.0, "idle_timeout": 60.0}  # seconds, as a provider has them
HURRIED = {
    "silence": {"first_token_timeout": 0.3},
    "silence in the middle": {"idle_timeout": 0.3},
}
JSON = {"Accept": "application/json"}


async def cut(line: Line) -> None:
    await line.cut()


async def cut_in_the_middle(line: Line) -> None:
    await line.head()
    await line.tell(recorded("cut_off.sse"))
    await line.cut()


async def silence(line: Line) -> None:
    await line.silence()


async def silence_in_the_middle(line: Line) -> None:
    await line.head()
    await line.tell(recorded("cut_off.sse"))
    await line.silence(every=0.02)


FAULTS: dict[str, tuple[Answer, str, str]] = {
    **{name: (whole(recorded(name)), error.code, text) for name, error, text in BROKEN},
    "a page with status 200": (whole(recorded("sign_in.html"), "text/html"), "malformed", ""),
    "an error with status 200": (whole(recorded("error_in_place.json"), "application/json"), "context_too_long", ""),
    "a wrong key": (whole(b"{}", "application/json", 401), "unauthorised", ""),
    "too many requests": (whole(b"{}", "application/json", 429, "Retry-After: 60\r\n"), "rate_limited", ""),
    "a bad gateway": (whole(recorded("sign_in.html"), "text/html", 502), "unavailable", ""),
    "a cut before a byte": (cut, "unavailable", ""),
    "a cut in the middle": (cut_in_the_middle, "malformed", "Hello, world"),
    "silence": (silence, "first_token_timeout", ""),
    "silence in the middle": (silence_in_the_middle, "idle_timeout", "Hello, world"),
}


class Mood:
    """How the server answers; it may change."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    async def __call__(self, line: Line) -> None:
        await self.answer(line)


@asynccontextmanager
async def asked(mood: Mood, protocol: str = Protocol.OPENAI_CHAT, **timeouts: float) -> AsyncIterator[tuple[Generation, str, Client]]:
    """What became of an answer of that server, what a page that watched it was shown, and the browser of its owner."""
    async with asyncio.timeout(PATIENCE), serve(mood, protocol) as (_, adapter), working_supervisor():
        owner, model = await sync_to_async(owner_and_model)(protocol, adapter.endpoint.base_url, timeouts)
        turn = await ask("Hi", owner=owner, model=model)
        shown = "".join([event.data async for event in page_events(turn.answer.pk)])
        yield await ended(turn.generation.pk), shown, await sync_to_async(browser_of)(owner)


def owner_and_model(protocol: str, base_url: str, timeouts: dict[str, float]) -> tuple[User, LanguageModel]:
    return make_user(), make_model(make_provider(protocol=protocol, base_url=base_url, **PATIENT | timeouts))


async def retried(done: Generation, browser: Client) -> Generation:
    await Provider.objects.aupdate(**PATIENT)
    reply = await sync_to_async(browser.post)(reverse("retry_answer", args=[done.message_id]), headers=JSON)
    assert reply.status_code == 201, reply.content
    again = await sync_to_async(Generation.objects.get)(message_id=reply.json()["answer"])
    return await until(generation_of, again.pk, holds=lambda generation: not generation.is_live)


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_named_what_came_is_kept_and_retry_answers(name: str) -> None:
    answer, code, text = FAULTS[name]
    mood = Mood(answer)
    async with asked(mood, **HURRIED.get(name, {})) as (done, shown, browser):
        assert (done.status, done.error_code, done.message.text) == (Status.FAILED, code, text)
        assert done.error_sentence in html.unescape(shown)
        assert text in shown
        mood.answer = whole(recorded("openai.sse"))
        again = await retried(done, browser)
        assert (again.status, again.message.text) == (Status.COMPLETE, "Hello, world")
        kept = await sync_to_async(generation_of)(done.pk)
        assert (kept.status, kept.message.text) == (Status.FAILED, text)


@pytest.mark.parametrize("quirk", QUIRKS, ids=[quirk[0] for quirk in QUIRKS])
async def test_a_quirk_is_an_answer_like_any_other_and_can_be_asked_for_again(quirk: tuple[str, str, str, str, object]) -> None:
    name, text, reasoning, *_ = quirk
    async with asked(Mood(whole(recorded(name), pieces=7))) as (done, _, browser):
        assert (done.status, done.message.text, done.message.reasoning) == (Status.COMPLETE, text, reasoning)
        again = await retried(done, browser)
        assert (again.status, again.message.text) == (Status.COMPLETE, text)


every_protocol = pytest.mark.parametrize("protocol", WIRES)


@every_protocol
@pytest.mark.parametrize(("name", "code", "text"), [("error_in_stream", "unavailable", "Hello"), ("cut_off", "malformed", "Hello, world")])
async def test_a_fault_in_any_protocol_is_named_and_retry_answers(protocol: str, name: str, code: str, text: str) -> None:
    wired = WIRES[protocol]
    mood = Mood(whole(wired.recorded(f"{name}.sse")))
    async with asked(mood, protocol) as (done, shown, browser):
        assert (done.status, done.error_code, done.message.text) == (Status.FAILED, code, text)
        assert done.error_sentence in html.unescape(shown)
        mood.answer = whole(wired.recorded("reasoning.sse"), pieces=7)
        again = await retried(done, browser)
        assert (again.status, again.message.text, again.message.reasoning) == (Status.COMPLETE, "Hello, world", "Let me think.")


@every_protocol
@pytest.mark.parametrize(("name", "text"), [("refusal", "I cannot help with that."), ("filtered_midway", "Hello, world")])
async def test_a_refusal_is_shown_as_such_and_what_was_said_is_kept(protocol: str, name: str, text: str) -> None:
    async with asked(Mood(whole(WIRES[protocol].recorded(f"{name}.sse"))), protocol) as (done, shown, _):
        assert (done.status, done.message.text) == (Status.COMPLETE, text)
        assert "refused to say more" in shown


@every_protocol
async def test_what_any_protocol_counted_is_in_the_ledger(protocol: str) -> None:
    async with asked(Mood(whole(WIRES[protocol].recorded("usage.sse"))), protocol) as (done, _, _browser):
        usage = await Usage.objects.aget(generation=done)
    assert not usage.is_estimated
    assert (usage.input_tokens, usage.cached_tokens, usage.cache_write_tokens) == (2048, 1920, 100)
    assert (usage.output_tokens, usage.reasoning_tokens) == (40, 37)
    assert usage.provider_request_id == "req-1"


@every_protocol
async def test_tools_are_called_in_any_protocol_and_what_they_gave_is_told(protocol: str) -> None:
    answers = [whole(WIRES[protocol].recorded(name)) for name in ("two_tool_calls.sse", "text.sse")]

    async def in_turn(line: Line) -> None:
        await answers[len(line.wire.requests) - 1](line)

    async with asyncio.timeout(PATIENCE), serve(in_turn, protocol) as (wire, adapter), working_supervisor():
        owner, model = await sync_to_async(owner_and_model)(protocol, adapter.endpoint.base_url, PATIENT)
        await LanguageModel.objects.filter(pk=model.pk).aupdate(supports_tools=True, tools=["current_time"])
        turn = await ask("When?", owner=owner, model=model)
        done = await ended(turn.generation.pk)
    assert (done.status, done.message.text) == (Status.COMPLETE, "Let me see.\n\nHello, world")
    statuses = {event["data"]["status"] for event in done.message.tool_events if "status" in event["data"]}
    assert statuses == {"done", "failed"}  # in whichever order they ended
    said = json.dumps(wire.body)
    assert "There is no such time zone." in said
    assert said.count("call_1") == said.count("call_2") == 2

"""Tools in the loop: a model calls, the site runs, the model goes on; and whatever goes wrong on the way."""

import asyncio
import json
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.template.loader import render_to_string
from django.test import Client, override_settings
from django.utils import timezone

from conversations.events import Event, EventKind, Place
from conversations.generation.history import assignment_of
from conversations.generation.journal import entries
from conversations.generation.supervisor import supervisor
from conversations.generation.tool_messages import messages_of
from conversations.models import (
    Conversation,
    Generation,
    JournalEntry,
    LanguageModel,
    Message,
    Status,
    Turn,
    Usage,
    decide,
    fork,
    go_on,
    start_turn,
)
from conversations.models.budgets import Budget, BudgetPeriod
from conversations.models.decisions import decisions_of
from conversations.models.generations import generation_to_run
from conversations.models.usage import ended_answer
from conversations.providers.base import ChatRequest, ToolCall
from conversations.rendering.answers import Answer
from conversations.tool_events import FAILED, ToolResult, ToolStart, open_calls, resulted, started, waits_for_person
from conversations.tools.registry import tools
from conversations.transfer import as_json, as_markdown, as_page
from conversations.transfer.own import draft_of
from conversations.transfer.tool_calls import tool_events_of
from tests.factories import make_model, make_turn, make_user
from tests.live import PATIENCE, ask, ended, generation_of, page_events, program_events, until, working_supervisor
from tests.page import Page
from tests.tools.samples import these_tools

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

CALL = {"call": 1, "round": 1, "id": "", "name": "", "arguments": ""}
RESULT = {"call": 1, "status": "done", "text": "", "seconds": 0}
SUM = '/tool calculator {"expression":"6*7"}'


def able(*names: str) -> LanguageModel:
    return make_model(supports_tools=True, tools=list(names or tools()))


async def answer_to(prompt: str, *names: str) -> Generation:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask(prompt, model=await sync_to_async(able)(*names))
        return await ended(turn.generation.pk)


def told(generation: Generation) -> list[dict[str, Any]]:
    """What is kept of the tools of an answer: the data of each event."""
    return [event["data"] for event in generation.message.tool_events or []]


def rendered(pk: int) -> str:
    message = ended_answer(pk)
    assert message
    return render_to_string("_answer.html", {"answer": Answer(message, entries(message.generation.pk))})


async def test_a_model_calls_a_tool_and_answers_with_what_it_gave() -> None:
    done = await answer_to(SUM)
    assert done.status == Status.COMPLETE
    start, result = told(done)
    assert (start["name"], start["arguments"], start["call"], start["round"]) == ("calculator", '{"expression":"6*7"}', 1, 1)
    assert (result["call"], result["status"], result["text"]) == (1, "done", "42")
    assert done.message.text.startswith("I ask calculator.\n\n> 42\n\n")
    assert done.message.tool_events[0]["behind"] == {"text": len("I ask calculator."), "reasoning": 0}


async def test_each_round_is_a_row_of_the_ledger() -> None:
    done = await answer_to(f"{SUM} /rounds 3")
    rows = await sync_to_async(list)(Usage.objects.filter(generation=done).order_by("attempt"))
    assert [row.attempt for row in rows] == [1, 2, 3, 4]
    assert not any(row.is_estimated for row in rows)
    assert done.attempt == 4


async def test_a_page_that_watches_a_tool_ends_as_the_page_that_is_loaded() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask(f"{SUM} /tool current_time /rounds 2 /think /markdown /rate 2000", model=await sync_to_async(able)())
        pages = []
        for _ in range(3):
            page = Page(await sync_to_async(rendered)(turn.answer.pk))
            pages.append(asyncio.create_task(follow(page, turn.answer.pk)))
            await asyncio.sleep(0.15)
        final = None
        for page in await asyncio.gather(*pages):
            final = final or Page(await sync_to_async(rendered)(turn.answer.pk)).html(f"message-{turn.answer.pk}")
            assert page.html(f"message-{turn.answer.pk}") == final
        assert final
        assert final.count('class="call"') == 4


async def follow(page: Page, pk: int) -> Page:
    async for event in page_events(pk, Place.parse(page.connect_place)):
        page.take(event)
    return page


async def test_what_a_tool_gives_is_shown_as_text_and_loads_nothing() -> None:
    with these_tools():
        done = await answer_to("/tool attacks", "attacks")
    call = re.search(r'<div id="message-\d+-call-1".*?</details>', await sync_to_async(rendered)(done.message_id), re.DOTALL)
    assert call
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in call[0]
    for absent in ("<script", "<img", "<a ", "href=", "src=h"):
        assert absent not in call[0].replace("src=https://evil.example/x.png&gt;", "")
    assert "\0" not in told(done)[1]["text"]


@pytest.mark.parametrize(
    ("prompt", "status", "words"),
    [
        ("/tool calculator {broken", "failed", "arguments"),
        ('/tool calculator {"expression":7}', "failed", "arguments"),
        ("/tool nonsense", "failed", "no tool of this name"),
        ("/tool breaks", "failed", "The tool failed."),
        ("/tool refuses", "failed", "There is no such city."),
        ("/tool floods", "done", "50,000,000 characters"),
        ("/tool hangs", "failed", "no result within 0.1 seconds"),
    ],
)
async def test_a_tool_that_fails_gives_the_model_an_error_and_the_answer_goes_on(prompt: str, status: str, words: str) -> None:
    with these_tools(hangs={"TIMEOUT": 0.1}):
        done = await answer_to(prompt, *tools())
    result = told(done)[-1]
    assert (done.status, result["status"]) == (Status.COMPLETE, status)
    assert words in result["text"]
    assert "secret" not in str(done.message.tool_events)


async def test_a_tool_that_the_model_may_not_call_is_not_run() -> None:
    done = await answer_to(f"/tool current_time {SUM}", "calculator")
    assert [event["status"] for event in told(done)[2:]].count("failed") == 1
    assert "no tool of this name" in str(told(done))


async def test_a_model_without_tools_calls_none() -> None:
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        turn = await ask(SUM)
        done = await ended(turn.generation.pk)
    assert (done.status, done.message.tool_events) == (Status.COMPLETE, None)


async def test_calls_of_one_round_run_at_once() -> None:
    """Each of two ends only when the other one runs, too."""
    with these_tools():
        done = await answer_to("/tool meets /tool meets", "meets")
    assert [event["call"] for event in told(done)[:2]] == [1, 2]
    assert len({event["id"] for event in told(done)[:2]}) == 2
    assert [event["text"] for event in told(done)[2:]] == ["met", "met"]


async def test_rounds_come_to_an_end() -> None:
    with override_settings(TOOL_ROUNDS=2):
        done = await answer_to(f"{SUM} /rounds 50")
    assert done.status == Status.COMPLETE  # a model that must call no more answers
    assert [event["round"] for event in told(done) if "round" in event] == [1, 2]


async def test_stop_ends_a_tool_and_keeps_what_was_shown() -> None:
    with these_tools(hangs={"TIMEOUT": 600}):
        async with working_supervisor(), asyncio.timeout(PATIENCE):
            turn = await ask("/tool hangs", model=await sync_to_async(able)("hangs"))
            await until(entries, turn.generation.pk, holds=lambda events: bool(open_calls(events)))
            assert await sync_to_async((await sync_to_async(generation_of)(turn.generation.pk)).request_stop)()
            supervisor.notify(turn.generation.pk)
            done = await ended(turn.generation.pk)
    assert (done.status, done.message.text, len(told(done))) == (Status.STOPPED, "I ask hangs.", 1)
    assert "did not finish" in await sync_to_async(rendered)(done.message_id)
    assert await Usage.objects.filter(generation=done).acount() == 1


# A person is asked

ASKED = {"calculator": {"NEEDS_APPROVAL": True}}


async def waiting_turn(prompt: str = SUM) -> Turn:
    turn = await ask(prompt, model=await sync_to_async(able)())
    await until(entries, turn.generation.pk, holds=waits_for_person)
    return turn


@pytest.mark.parametrize(("word", "status"), [("approve", "done"), ("decline", "declined")])
async def test_an_answer_waits_until_a_person_has_said_it(word: str, status: str) -> None:
    with these_tools(**ASKED):
        async with working_supervisor(), asyncio.timeout(PATIENCE):
            turn = await waiting_turn()
            html = await sync_to_async(rendered)(turn.answer.pk)
            assert f"/messages/{turn.answer.pk}/calls/1/approve" in html
            assert "waits for you" in html
            stranger, owner = await sync_to_async(browsers_of)(turn)
            assert (await sync_to_async(stranger.post)(f"/messages/{turn.answer.pk}/calls/1/{word}")).status_code == 404
            assert (await sync_to_async(owner.post)(f"/messages/{turn.answer.pk}/calls/2/{word}")).status_code == 409
            assert (await sync_to_async(owner.post)(f"/messages/{turn.answer.pk}/calls/1/{word}")).status_code == 302
            done = await ended(turn.generation.pk)
            assert (await sync_to_async(owner.post)(f"/messages/{turn.answer.pk}/calls/1/{word}")).status_code == 409
    assert (done.status, told(done)[-1]["status"]) == (Status.COMPLETE, status)
    assert "/approve" not in await sync_to_async(rendered)(turn.answer.pk)


def browsers_of(turn: Turn) -> tuple[Client, Client]:
    stranger, owner = Client(), Client()
    stranger.force_login(make_user())
    owner.force_login(turn.conversation.owner)
    return stranger, owner


async def test_the_first_word_counts() -> None:
    turn = await sync_to_async(make_turn)()
    assert await sync_to_async(decide)(turn.generation, 1, is_approved=False)
    assert not await sync_to_async(decide)(turn.generation, 1, is_approved=True)
    assert await sync_to_async(decisions_of)(turn.generation.pk) == {1: False}


async def test_what_waits_for_a_person_survives_a_restart() -> None:
    with these_tools(**ASKED):
        async with asyncio.timeout(PATIENCE):
            async with working_supervisor():
                turn = await waiting_turn(f"{SUM} /think")
            given_back = await sync_to_async(generation_of)(turn.generation.pk)
            assert given_back.status == Status.QUEUED
            await sync_to_async(decide)(turn.generation, 1, is_approved=True)
            async with working_supervisor():
                supervisor.notify(turn.generation.pk)
                done = await ended(turn.generation.pk)
    assert (done.status, told(done)[-1]["text"]) == (Status.COMPLETE, "42")
    rows = [(row.attempt, row.is_estimated) async for row in Usage.objects.filter(generation=done).order_by("attempt")]
    assert rows == [(1, False), (2, False)]


async def test_what_waits_for_a_person_survives_the_death_of_its_owner() -> None:
    with these_tools(**ASKED):
        turn = await sync_to_async(abandoned)(waits=True)
        async with working_supervisor(), asyncio.timeout(PATIENCE):
            await sync_to_async(decide)(turn.generation, 1, is_approved=True)
            done = await ended(turn.generation.pk)
    assert (done.status, told(done)[-1]["text"], done.takeovers) == (Status.COMPLETE, "42", 1)


async def test_an_owner_that_dies_in_the_middle_of_a_tool_leaves_what_was_shown_marked_interrupted() -> None:
    turn = await sync_to_async(abandoned)(waits=False)
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        done = await ended(turn.generation.pk)
    assert (done.status, done.message.text, len(told(done))) == (Status.INTERRUPTED, "I ask.", 1)
    assert "did not finish" in await sync_to_async(rendered)(turn.answer.pk)
    assert [row.attempt async for row in Usage.objects.filter(generation=done)] == [1]


def abandoned(*, waits: bool) -> Turn:
    """An answer whose owner died after its first round, with a call that waits for a person or was running."""
    turn = make_turn(prompt=SUM, model=able())
    assert turn.generation.claim("dead:1:0")
    start = started(ToolStart(1, 1, "call_1", "calculator", '{"expression":"6*7"}', waits))
    for position, (kind, data) in enumerate([Event(EventKind.TEXT_DELTA, "I ask."), start], 1):
        JournalEntry.objects.create(generation=turn.generation, position=position, kind=kind, data=data)
    usage = Usage(generation=turn.generation, attempt=1)
    assert turn.generation.model
    usage.take_prices(turn.generation.model)
    usage.save()
    Generation.objects.filter(pk=turn.generation.pk).update(lease_until=timezone.now() - timedelta(hours=1))
    return turn


# What is made of it afterwards


async def test_the_next_turn_tells_the_calls_and_their_results_again() -> None:
    done = await answer_to(f"{SUM} /tool current_time")
    request = await sync_to_async(request_of_next)(done)
    asked, first, second, last = request.messages[1:5]
    assert [call.name for call in asked.calls] == ["calculator", "current_time"]
    assert [first.call_id, second.call_id] == [call.id for call in asked.calls]
    assert {first.text[:2]} == {"42"}
    assert last.role == "assistant"
    assert last.text.startswith("> 42")
    plain = await sync_to_async(request_of_next)(done, make_model)
    assert [message.role for message in plain.messages] == ["user", "assistant", "user"]


def request_of_next(done: Generation, model: Callable[[], LanguageModel] = able) -> ChatRequest:
    conversation = Conversation.objects.get(pk=done.message.conversation_id)
    turn = start_turn(conversation, "And then?", model(), uuid.uuid4())
    request = assignment_of(generation_to_run.first(turn.generation.pk)).request  # type: ignore[arg-type]
    Generation.objects.filter(pk=turn.generation.pk).update(status=Status.STOPPED)
    Message.objects.filter(pk__in=[turn.prompt.pk, turn.answer.pk]).delete()
    Conversation.objects.filter(pk=conversation.pk).update(head=done.message_id)
    return request


async def test_an_answer_with_tools_can_be_gone_on_with() -> None:
    done = await answer_to(f"{SUM} /fail unavailable middle")
    assert done.status == Status.FAILED
    assert done.message.text
    async with working_supervisor(), asyncio.timeout(PATIENCE):
        longer = await sync_to_async(lambda: go_on(Message.objects.get(pk=done.message_id), able("calculator")))()
        supervisor.notify(longer.generation.pk)
        again = await ended(longer.generation.pk)
    assert again.message.text.startswith(done.message.text)
    assert (again.message.tool_events or [])[:2] == done.message.tool_events


async def test_a_program_goes_on_from_any_place_exactly() -> None:
    done = await answer_to(f"{SUM} /tool current_time /think /rounds 2")
    whole = [event async for event in program_events(done.message_id)]
    shown = [event for event in whole if event.id]
    assert [event.name for event in shown].count("tool_result") == 4
    for at, event in enumerate(shown):
        rest = [event async for event in program_events(done.message_id, Place.parse(event.id)) if event.id]
        assert rest == shown[at + 1 :]
    assert json.loads(next(event for event in shown if event.name == "tool_start").data)["name"] == "calculator"


async def test_a_fork_and_an_export_keep_the_calls() -> None:
    done = await answer_to(SUM)
    copy = await sync_to_async(lambda: fork(Message.objects.get(pk=done.message_id)))()
    assert (await Message.objects.aget(pk=copy.head_id)).tool_events == done.message.tool_events
    conversation = await Conversation.objects.aget(pk=done.message.conversation_id)
    found = json.loads("".join(await sync_to_async(lambda: list(as_json.pieces(conversation)))()))
    draft = draft_of(found)
    assert draft.messages[1].tool_events == done.message.tool_events
    markdown = "".join(await sync_to_async(lambda: list(as_markdown.pieces(conversation)))())
    assert "*Called calculator:*" in markdown
    page = "".join(await sync_to_async(lambda: list(as_page.pieces(conversation)))())
    assert '<pre tabindex="0">42</pre>' in page


@pytest.mark.parametrize(
    "tools",
    [
        "text",
        [1],
        [{}],
        [{"event": "text_delta", "behind": {"text": 0, "reasoning": 0}, "data": {}}],
        [{"event": "tool_result", "behind": {"text": 0, "reasoning": 0}, "data": RESULT}],
        [{"event": "tool_start", "behind": {"text": 99, "reasoning": 0}, "data": CALL}],
        [{"event": "tool_start", "behind": {"text": 0, "reasoning": 0}, "data": CALL | {"call": 7}}],
        [{"event": "tool_start", "behind": 7, "data": []}],
        [{"event": ["x"], "behind": {}, "data": {}}],
        [{"event": "tool_start", "behind": {"text": float("inf"), "reasoning": 0}, "data": CALL}],
        [
            {"event": "tool_start", "behind": {"text": 0, "reasoning": 0}, "data": CALL},
            {"event": "tool_result", "behind": {"text": 0, "reasoning": 0}, "data": RESULT | {"seconds": float("inf")}},
        ],
    ],
)
def test_tools_of_a_file_that_cannot_be_are_left_out(tools: Any) -> None:
    assert tool_events_of({"text": "abc", "reasoning": "", "tools": tools}) is None


async def test_budgets_hold_each_round_before_it_is_sent() -> None:
    """The first round is paid for; what a tool gave is more than the second could read with what is left."""
    await sync_to_async(lambda: Budget.objects.create(token_limit=2_000))()
    with these_tools():
        done = await answer_to("/tool floods", "floods")
    assert (done.status, done.error_code, len(told(done))) == (Status.STOPPED, "budget", 2)
    assert [row.attempt async for row in Usage.objects.filter(generation=done)] == [1]
    period = await BudgetPeriod.objects.aget()
    assert (period.held_cost, period.held_tokens) == (0, 0)
    row = await Usage.objects.aget(generation=done)
    assert period.used_tokens == row.input_tokens + row.output_tokens


async def test_budgets_count_every_round() -> None:
    await sync_to_async(lambda: Budget.objects.create(token_limit=1_000_000))()
    done = await answer_to(f"{SUM} /rounds 3")
    rows = [row.input_tokens + row.output_tokens async for row in Usage.objects.filter(generation=done)]
    period = await BudgetPeriod.objects.aget()
    assert (done.status, len(rows)) == (Status.COMPLETE, 4)
    assert (period.used_tokens, period.held_tokens) == (sum(rows), 0)


async def test_no_speed_is_told_of_an_answer_whose_time_went_to_tools() -> None:
    done = await answer_to(SUM)
    html = await sync_to_async(rendered)(done.message_id)
    assert "tokens in" in html
    assert "tokens/s" not in html


@pytest.mark.parametrize(
    ("name", "arguments", "told_again"),
    [
        ("shop.find it", '{"a":1}', ("shop_find_it", '{"a":1}')),
        ("x" * 100, "{}", ("x" * 64, "{}")),
        ("x", '{"a":NaN}', ("x", "{}")),
        ("x", '{"a":1e999}', ("x", "{}")),
        ("x", r'{"a":"\ud800"}', ("x", "{}")),
        ("x", '{"a":' + "[" * 50_000, ("x", "{}")),
    ],
)
def test_what_a_model_made_up_is_told_again_as_every_provider_takes_it(name: str, arguments: str, told_again: tuple[str, str]) -> None:
    asked, _ = messages_of([started(ToolStart(1, 1, "a", name, arguments)), resulted(ToolResult(1, FAILED, "No.", 0))])
    assert asked.calls == (ToolCall("a", *told_again),)

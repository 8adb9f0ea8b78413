"""Titles by a model: one for each conversation, beside the answer, in the ledger, and never over a person's own."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from conversations.generation import titles
from conversations.generation.changes import Kind, changes
from conversations.generation.ending import Outcome
from conversations.generation.history import assignment_of
from conversations.generation.supervisor import supervisor
from conversations.models import Conversation, Generation, LanguageModel, Message, Protocol, Status, Turn, Usage, retry
from conversations.models.generations import generation_to_run
from conversations.providers.registry import close_adapters
from tests.conftest import in_parallel
from tests.factories import make_model, make_provider, make_turn, make_user
from tests.live import PATIENCE, ask, ended, working_supervisor
from tests.providers.wire import Answer, Line, Wire, serve, whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

PROMPT = "Tell me why the sky over the sea is blue /rate 5000"
FIRST_WORDS = "Tell me why the sky over"  # the demo's title


@pytest.fixture(autouse=True)
def titles_are_on(settings: Any) -> None:
    settings.TITLES = "auto"


def title_rows() -> list[Usage]:
    return list(Usage.objects.filter(purpose=Usage.Purpose.TITLE))


async def settled(turn: Turn) -> Conversation:
    """Wait until the answer has ended and nothing is done beside it any more."""
    await ended(turn.generation.pk)
    async with asyncio.timeout(PATIENCE):
        while supervisor.runs or supervisor._named("title"):
            await asyncio.sleep(0.01)
    return await Conversation.objects.aget(pk=turn.conversation.pk)


def finished_turn(text: str = "Because of Rayleigh.", **how: Any) -> Turn:
    turn = make_turn(prompt=how.pop("prompt", PROMPT), **how)
    assert turn.generation.claim("somebody")
    Generation.objects.filter(pk=turn.generation.pk).update(status=Status.COMPLETE)
    Message.objects.filter(pk=turn.answer.pk).update(text=text)
    return turn


async def test_the_first_answer_is_followed_by_a_title_that_is_in_the_ledger_and_told(model: LanguageModel) -> None:
    async with working_supervisor():
        turn = await ask(PROMPT, model=model)
        before = turn.conversation.title
        conversation = await settled(turn)
        told = [change.kind for change in changes.since(conversation.owner_id, 0) if change.conversation == conversation.pk]
    assert conversation.title == FIRST_WORDS != before
    assert not conversation.has_own_title
    (row,) = await sync_to_async(title_rows)()
    assert (row.conversation_id, row.generation_id, row.model_name) == (conversation.pk, None, model.name)
    assert row.input_tokens > 0
    assert row.output_tokens == 6
    assert told == [Kind.ENDED, Kind.RENAMED]


async def test_later_answers_and_further_tries_are_no_reason_for_another(model: LanguageModel) -> None:
    async with working_supervisor():
        first = await ask(PROMPT, model=model)
        await settled(first)
        again = await sync_to_async(retry)(first.answer, model)
        supervisor.notify(again.generation.pk)
        await settled(again)
        conversation = await Conversation.objects.aget()
        await settled(await ask("And at night? /rate 5000", conversation=conversation))
    assert len(await sync_to_async(title_rows)()) == 1


@pytest.mark.parametrize("prompt", ["/fail rate_limited middle /rate 5000", "/fail unauthorised"])
async def test_an_answer_that_failed_names_nothing(prompt: str) -> None:
    async with working_supervisor():
        conversation = await settled(await ask(prompt))
    assert conversation.title_asked_at is None
    assert await sync_to_async(title_rows)() == []


async def test_where_titles_are_off_nobody_is_asked(settings: Any) -> None:
    settings.TITLES = "off"
    async with working_supervisor():
        assert (await settled(await ask(PROMPT))).title_asked_at is None


async def test_a_title_costs_the_answer_no_query(model: LanguageModel) -> None:
    """What decides whether to ask is known by then."""
    turn = await sync_to_async(make_turn)(prompt=PROMPT, model=model)
    generation = await sync_to_async(generation_to_run.first)(turn.generation.pk)
    assert generation is not None
    assignment = await sync_to_async(assignment_of)(generation)
    assert titles.is_to_be_named(assignment, Outcome(Status.COMPLETE))  # a query on the event loop would raise
    assert not titles.is_to_be_named(assignment, Outcome(Status.STOPPED))


def test_of_many_at_once_one_asks(alice: User, model: LanguageModel) -> None:
    turn = finished_turn(owner=alice, model=model)
    won = in_parallel(8, lambda _: titles.begin(Generation.objects.to_run().get(pk=turn.generation.pk)) is not None)
    assert sum(won) == 1


def test_an_owner_that_died_after_its_claim_bills_nothing_and_nobody_asks_again(alice: User, model: LanguageModel) -> None:
    turn = finished_turn(owner=alice, model=model)
    assert titles.begin(turn.generation) is not None
    assert titles.begin(Generation.objects.to_run().get(pk=turn.generation.pk)) is None
    assert title_rows() == []
    assert Conversation.objects.get().title == turn.conversation.title


def test_the_model_of_titles_is_asked_while_it_is_on(alice: User, model: LanguageModel) -> None:
    model.parameters = {"temperature": 0.5}
    cheap = make_model(writes_titles=True, supports_reasoning=True, parameters={"max_completion_tokens": 9000})
    naming = titles.begin(finished_turn(owner=alice, model=model).generation)
    assert naming is not None
    assert naming.model == cheap
    assert naming.request.parameters == {"max_completion_tokens": titles.MOST_TOKENS_WITH_REASONING}
    LanguageModel.objects.filter(pk=cheap.pk).update(is_enabled=False)
    naming = titles.begin(finished_turn(owner=alice, model=model).generation)
    assert naming is not None
    assert naming.model == model
    assert naming.request.parameters == {"max_tokens": titles.MOST_TOKENS, "temperature": 0}


def test_a_model_is_told_no_more_than_it_needs(alice: User, model: LanguageModel) -> None:
    naming = titles.begin(finished_turn("y" * 100_000, owner=alice, model=model, prompt="x" * 100_000).generation)
    assert naming is not None
    last = naming.request.messages[-1]
    assert (last.role, last.text) == ("user", titles.INSTRUCTION + "x" * titles.EXCERPT)
    assert not any("yyy" in message.text for message in naming.request.messages)


@pytest.mark.parametrize("fields", [{"has_own_title": True}, {"is_temporary": True}, {"deleted_at": "2026-01-01T00:00Z"}], ids=str)
def test_some_conversations_are_not_named(alice: User, model: LanguageModel, fields: dict[str, Any]) -> None:
    turn = finished_turn(owner=alice, model=model)
    Conversation.objects.update(**fields)
    assert titles.begin(turn.generation) is None


def test_a_person_who_renames_meanwhile_has_the_last_word(alice: User, model: LanguageModel) -> None:
    turn = finished_turn(owner=alice, model=model)
    naming = titles.begin(turn.generation)
    assert naming is not None
    Conversation.objects.get().rename("Mine")
    titles.finish(naming, Outcome(Status.COMPLETE), "The model's", "")
    assert Conversation.objects.get().title == "Mine"
    assert len(title_rows()) == 1


def test_what_is_written_twice_is_billed_once(alice: User, model: LanguageModel) -> None:
    naming = titles.begin(finished_turn(owner=alice, model=model).generation)
    assert naming is not None
    for _ in range(2):
        titles.finish(naming, Outcome(Status.COMPLETE), "Sea and sand", "")
    assert len(title_rows()) == 1


def test_a_conversation_that_is_gone_meanwhile_is_in_the_ledger_all_the_same(alice: User, model: LanguageModel) -> None:
    naming = titles.begin(finished_turn(owner=alice, model=model).generation)
    assert naming is not None
    Conversation.objects.all().delete()
    titles.finish(naming, Outcome(Status.COMPLETE), "Too late", "")
    (row,) = title_rows()
    assert row.conversation_id is None
    assert row.output_tokens > 0


def says(*pieces: str, then: Answer) -> Answer:
    """A model that says some pieces, and goes on as `then` does."""

    chunks = [json.dumps({"choices": [{"index": 0, "delta": {"content": piece}}]}).encode() for piece in pieces]

    async def answer(line: Line) -> None:
        await line.head()
        await line.tell(*(b"data: %b\n\n" % chunk for chunk in chunks))
        await then(line)

    return answer


async def ends(line: Line) -> None:
    await line.tell(b"data: [DONE]\n\n")
    await line.end()


@asynccontextmanager
async def model_that(answer: Answer, **fields: Any) -> AsyncIterator[tuple[LanguageModel, Wire]]:
    async with serve(answer) as (wire, adapter):
        provider = await sync_to_async(make_provider)(protocol=Protocol.OPENAI_CHAT, base_url=adapter.endpoint.base_url)
        try:
            yield await sync_to_async(make_model)(provider, **fields), wire
        finally:
            await close_adapters()


async def named(answer: Answer) -> str:
    """The title that a conversation has once a model has answered so."""
    async with model_that(answer) as (model, _):
        turn = await sync_to_async(finished_turn)(model=model)
        await titles.write_title(await sync_to_async(Generation.objects.to_run().get)(pk=turn.generation.pk))
    return (await Conversation.objects.aget(pk=turn.conversation.pk)).title


async def test_what_comes_behind_the_title_is_not_waited_for() -> None:
    async with asyncio.timeout(PATIENCE):
        assert await named(says("\n<b>Sea</b>", " and\0 sand\nand so", " on", then=Line.silence)) == "Sea and sand"
    assert (await sync_to_async(title_rows)())[0].is_estimated


@pytest.mark.parametrize(
    "answer",
    [whole(b"{}", "application/json", 400), says("Half a", then=Line.cut), says("\u200b", then=ends)],
    ids=["refused", "cut", "invisible"],
)
async def test_an_attempt_that_brings_nothing_leaves_the_first_words_and_a_row(answer: Answer) -> None:
    assert (await named(answer)).startswith("Tell me why the sky over the sea")
    assert len(await sync_to_async(title_rows)()) == 1


async def test_a_provider_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(titles, "PATIENCE", 0.05)
    assert (await named(says(then=Line.silence))).startswith("Tell me why")
    assert len(await sync_to_async(title_rows)()) == 1


async def test_a_process_that_stops_in_the_middle_accounts_for_it() -> None:
    is_asked = asyncio.Event()

    async def silent(line: Line) -> None:
        is_asked.set()
        await line.silence()

    naming = asyncio.create_task(named(says("Half a", then=silent)))
    async with asyncio.timeout(PATIENCE):
        await is_asked.wait()
        naming.cancel()
        with pytest.raises(asyncio.CancelledError):
            await naming
    (row,) = await sync_to_async(title_rows)()
    assert row.is_estimated
    assert row.input_tokens > 0


async def test_a_stop_of_the_site_does_not_wait_for_a_title(model: LanguageModel) -> None:
    async with model_that(says("Half a", then=Line.silence), writes_titles=True) as (_, wire), asyncio.timeout(PATIENCE):
        async with working_supervisor():
            await ask(PROMPT, owner=await sync_to_async(make_user)(), model=model)
            await wire.told.wait()
        assert len(await sync_to_async(title_rows)()) == 1


@pytest.mark.parametrize(("slug", "is_marked", "is_asked"), [("local", False, False), ("local", True, True), ("another", False, True)])
def test_the_model_of_this_machine_is_asked_only_where_staff_marked_it(slug: str, is_marked: bool, is_asked: bool) -> None:
    model = make_model(make_provider(slug=slug), writes_titles=is_marked)
    turn = finished_turn(model=model)
    naming = titles.begin(Generation.objects.get(pk=turn.generation.pk))
    assert (naming is not None) == is_asked
    assert (Conversation.objects.get(pk=turn.conversation.pk).title_asked_at is not None) == is_asked

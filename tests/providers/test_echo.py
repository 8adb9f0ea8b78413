"""The built-in demo: what it says, when, and how it fails when told to."""

import asyncio
from time import monotonic

import pytest

from conversations.events import Event, EventKind
from conversations.providers import errors
from conversations.providers.base import ChatMessage, Endpoint, UsageReport
from conversations.providers.echo import EchoAdapter, EchoStream
from conversations.providers.echo_commands import FAILURES, Commands
from conversations.providers.echo_texts import pieces_of, quoted

from .wire import SOON, ask, read, text_of

FAST = "/rate 100000"


def echo(prompt: str, **fields: object) -> EchoStream:
    return EchoAdapter(Endpoint("echo", "")).stream(ask(prompt, **fields))


async def said(prompt: str) -> str:
    return text_of(await read(echo(f"{prompt} {FAST}")))


async def test_the_answer_quotes_the_prompt_and_says_that_it_is_a_demo() -> None:
    answer = await said("Why is the sky blue?")
    assert "> Why is the sky blue?" in answer
    assert "no language model" in answer


@pytest.mark.parametrize("prompt", ["```\n# x", "a\r\n\r\n---\nb", "one\u2028two\x0bthree", "- a\n\n\n    code", "", "\n"])
def test_no_prompt_reaches_past_its_quote(prompt: str) -> None:
    assert all(line.startswith(">") for line in quoted(prompt).splitlines())


async def test_asked_for_a_title_it_says_the_first_words_and_obeys_no_command() -> None:
    stream = echo("Write a title.\n\nWhy is /fail unauthorised the sky\n\nover the sea blue", purpose="title")
    assert text_of(await read(stream)) == "Why is /fail unauthorised the sky"
    assert stream.usage is not None


async def test_the_same_prompt_has_the_same_answer() -> None:
    assert await said("/markdown") == await said("/markdown")


async def test_help_lists_every_command() -> None:
    answer = await said("/help")
    for name in ("/markdown", "/long", "/code", "/list", "/table", "/rate", "/delay", "/pause", "/fail", "/think", "/nousage", "/silent"):
        assert name in answer
    assert all(code in answer for code in FAILURES)


def test_the_help_knows_every_failure() -> None:
    assert len(FAILURES) == 10


@pytest.mark.parametrize(
    ("prompt", "mark", "count"),
    [
        ("/long 7", " ends here", 7),
        ("/code 7", "    print(", 7),
        ("/list 7", "- Item", 7),
        ("/table 7", "| Row", 7),
        ("/list", "- Item", 20),
        ("/list many", "- Item", 20),
        ("/list 0", "- Item", 1),
        ("please /list 3 and /table 2", "- Item", 3),
        ("/list 3 /list 5", "- Item", 5),
        ("/lists 3", "- Item", 0),
    ],
)
async def test_a_number_says_how_many(prompt: str, mark: str, count: int) -> None:
    assert (await said(prompt)).count(mark) == count


def test_numbers_are_bounded() -> None:
    commands = Commands.found_in("/long 1e9 /rate -5 /delay inf /pause nan")
    assert (commands.long, commands.rate, commands.delay, commands.pause) == (100_000, 0.1, 3600, 2)


async def test_the_showcase_has_markdown_of_every_kind() -> None:
    answer = await said("/markdown")
    for sign in ("# ", "- [x]", "|:-----|", "```python", "```sql", "$e^{", "$$", "\\begin{aligned}", "> [!NOTE]", "![", "<script>"):
        assert sign in answer


async def test_only_the_last_prompt_commands() -> None:
    messages = [ChatMessage("user", "/fail refused"), ChatMessage("assistant", "/silent"), ChatMessage("user", f"Hi {FAST}")]
    assert "> Hi" in text_of(await read(echo("", messages=messages)))


async def test_usage_counts_words_in_and_pieces_out() -> None:
    stream = echo(f"one two {FAST}", system_prompt="be kind")
    events = await read(stream)
    assert stream.usage == UsageReport(6, len(list(pieces_of(text_of(events)))))


async def test_no_usage_is_reported_where_none_is_wanted() -> None:
    stream = echo(f"/nousage {FAST}")
    await read(stream)
    assert (stream.usage, stream.finish_reason) == (None, "stop")


async def test_reasoning_comes_first_and_only_when_asked_for() -> None:
    kinds = [event.kind for event in await read(echo(f"/think {FAST}"))]
    assert kinds == sorted(kinds, key=[EventKind.REASONING_DELTA, EventKind.TEXT_DELTA].index)
    assert {event.kind for event in await read(echo(f"think {FAST}"))} == {EventKind.TEXT_DELTA}
    assert kinds[0] is EventKind.REASONING_DELTA


@pytest.mark.parametrize("code", FAILURES)
async def test_it_fails_at_once_with_each_error(code: str) -> None:
    events: list[Event] = []
    with pytest.raises(FAILURES[code]) as raised:
        await read(echo(f"/fail {code} before {FAST}"), events)
    assert (raised.value.code, events) == (code, [])
    assert (raised.value.retry_after is not None) == (code == errors.RateLimited.code)


@pytest.mark.parametrize("code", FAILURES)
async def test_it_fails_in_the_middle_with_each_error(code: str) -> None:
    events: list[Event] = []
    with pytest.raises(FAILURES[code]):
        await read(echo(f"/list 100 /fail {code} middle {FAST}"), events)
    assert 40 < text_of(events).count("- Item") < 60


async def test_an_unknown_failure_is_none() -> None:
    assert "> /fail" in await said("/fail everything")


@pytest.mark.parametrize(("prompt", "seconds"), [("/rate 100", 0.5), (f"/delay 0.3 {FAST}", 0.3), (f"/pause 0.3 {FAST}", 0.3)])
async def test_the_pace_is_the_one_asked_for(prompt: str, seconds: float) -> None:
    started = monotonic()
    stream = echo(f"{prompt} /list 8")
    await read(stream)
    assert stream.usage is not None
    assert seconds <= monotonic() - started < seconds + 2


async def test_a_late_reader_gets_all_that_fell_due_at_once() -> None:
    loop = asyncio.get_running_loop()
    batches = aiter(echo("/list 1000 /rate 1000"))
    first, started = await anext(batches), loop.time()
    late = asyncio.Event()
    loop.call_later(0.2, late.set)
    await asyncio.wait_for(late.wait(), SOON)
    await anext(batches)
    second = await anext(batches)
    assert loop.time() - started < 2
    assert len(text_of(second)) > 10 * len(text_of(first))


async def test_the_longest_answer_starts_at_once() -> None:
    stream = echo("/long 100000 /code 100000")
    async with asyncio.timeout(SOON):
        assert await anext(aiter(stream))
    await stream.aclose()

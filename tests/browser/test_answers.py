"""The stories of an answer: it streams, it stops, it survives a reload, it is the same in two tabs."""

import re
from itertools import batched

import pytest
from playwright.async_api import expect

from conversations.providers.echo_texts import MARKDOWN, REASONING, code, items, pieces_of, table

from .chat import answer, ask, becomes, begin, dictate, follows, grows, log, message, reloaded_log, send, shows, source, stop, text
from .visits import Visits
from .wire import Delta, Provider

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FRAMES = 12  # at least, into which an answer is cut
THOUGHTS: list[Delta] = [{"reasoning_content": piece} for piece in pieces_of(REASONING)]
BEFORE, HEADING, AFTER = MARKDOWN.partition("###### Quotes")
FIRST_HALF, SECOND_HALF = [*pieces_of(BEFORE)], [*pieces_of(HEADING + AFTER)]
LONG_BLOCKS = [*pieces_of("\n\n".join((code(60), items(40), table(30))))]
COUNT_FRAMES = """
() => {
  window.frames_seen = 0;
  document.addEventListener("htmx:sse:after:message", () => window.frames_seen++);
}
"""
RECORD_STATUSES = """
() => {
  window.statuses = []; window.said = [document.querySelector("#sr").textContent];
  const look = () => {
    const last = [...document.querySelectorAll('article[data-role="assistant"]')].at(-1)?.dataset.status;
    if (last && last !== window.statuses.at(-1)) window.statuses.push(last);
    const said = document.querySelector("#sr").textContent;
    if (said && said !== window.said.at(-1)) window.said.push(said);
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
}
"""


async def test_an_answer_streams(visits: Visits, provider: Provider) -> None:
    page = await visits.open()
    await dictate(page, provider, "Hello.")
    provider.end()
    await becomes(page, "complete")
    await expect(page.locator("#sr")).to_have_text("Answer finished")
    await page.evaluate(RECORD_STATUSES)
    provider.say(pauses=True)
    await send(page, "And now slowly.")
    await expect(message(page)).to_have_value("")
    await becomes(page, "running")
    for words in ("One", ", two", ", three"):
        provider.add(words)
        await shows(page, words)
    provider.end()
    await becomes(page, "complete")
    assert await page.evaluate("window.statuses") == ["complete", "queued", "running", "complete"]
    assert await page.evaluate("window.said") == ["Answer finished", "Answering…", "Answer finished"]


async def test_between_send_and_the_first_token_the_page_shows_that_the_model_thinks(visits: Visits, provider: Provider) -> None:
    page = await visits.open()
    await dictate(page, provider)
    thinking = "getComputedStyle([...document.querySelectorAll('.answer-text')].at(-1), '::before').content"
    await becomes(page, "running")
    assert "Thinking" in await page.evaluate(thinking)
    provider.add("Hello")
    await shows(page, "Hello")
    assert await page.evaluate(thinking) == "none"


async def test_a_finished_answer_tells_model_tokens_cost_and_time(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "hello /rate 300")
    await becomes(page, "complete")
    facts = answer(page).get_by_role("list", name="About this answer")
    await expect(facts).to_contain_text(re.compile(r"Echo\s+demo"))
    await expect(facts).to_contain_text("free")
    for fact in (r"\d+ tokens in, \d+ out", r"\d\.\d s to first token", r"\d+ tokens/s"):
        await expect(facts).to_contain_text(re.compile(fact))


async def test_an_estimated_cost_says_so(visits: Visits, provider: Provider) -> None:
    page = await visits.open()
    provider.say("Sixteen words ", "or so.")
    await ask(page, "hello", model="Wire")
    await becomes(page, "complete")
    facts = answer(page).get_by_role("list", name="About this answer")
    await expect(facts).to_contain_text("$0.00")
    await expect(facts).to_contain_text("estimated")


async def test_stop_ends_the_answer_and_keeps_what_there_is(visits: Visits) -> None:
    page = await visits.open()
    number = await ask(page, "/long 4000 /rate 50")
    await grows(page, 40)
    await expect(stop(page)).to_have_count(1)
    await expect(stop(page)).to_be_visible()
    await stop(page).click()
    await becomes(page, "stopped")
    await expect(stop(page)).to_have_count(0)
    await expect(message(page)).to_be_focused()
    await expect(answer(page)).to_contain_text("You stopped this answer.")
    assert len(await source(page, number)) > 40
    assert await log(page) == await reloaded_log(page)


async def test_stop_ends_the_call_of_a_silent_provider(visits: Visits, provider: Provider) -> None:
    page = await visits.open()
    await dictate(page, provider)
    await becomes(page, "running")
    await stop(page).click()
    await becomes(page, "stopped")
    await provider.is_hung_up_on()


async def test_retry_answers_again(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "hello /fail unavailable")
    await becomes(page, "failed")
    await expect(answer(page)).to_contain_text("The provider cannot be reached.")
    first = await answer(page).get_attribute("id")
    await answer(page).get_by_role("button", name="Retry").click()
    await expect(answer(page)).not_to_have_attribute("id", str(first))
    await becomes(page, "failed")
    await expect(page.locator('article[data-role="assistant"]')).to_have_count(1)


async def test_retry_asks_the_model_that_is_picked(visits: Visits, provider: Provider) -> None:
    page = await visits.open()
    await ask(page, "hello /fail unavailable")
    await becomes(page, "failed")
    provider.say("Something else.")
    await page.get_by_role("combobox", name="Model").select_option(label="Wire")
    await answer(page).get_by_role("button", name="Retry").click()
    await becomes(page, "complete")
    await expect(answer(page)).to_contain_text("Something else.")
    await expect(answer(page).get_by_role("list", name="About this answer")).to_contain_text("Wire")


async def test_a_reload_in_mid_answer_shows_it_whole_and_goes_on(visits: Visits, provider: Provider) -> None:
    page = await visits.open()
    number = await dictate(page, provider, *FIRST_HALF)
    await shows(page, "Mathematics")
    await page.reload()
    assert "Mathematics" in await text(page).inner_text()
    await becomes(page, "running")
    await follows(page)
    provider.add(*SECOND_HALF)
    provider.end()
    await becomes(page, "complete")
    await shows(page, "The end.")
    assert (await source(page, number)).count("The end.") == 1
    assert await log(page) == await reloaded_log(page)


async def test_two_tabs_stream_the_same_answer(visits: Visits, provider: Provider) -> None:
    one = await visits.open()
    two = await visits.open()
    await dictate(one, provider, *THOUGHTS)
    await two.goto(one.url)
    await follows(two)
    provider.add(*FIRST_HALF)
    for tab in (one, two):
        await shows(tab, "Mathematics")
    provider.add(*SECOND_HALF)
    provider.end()
    for tab in (one, two):
        await becomes(tab, "complete")
    assert await log(one) == await log(two)
    assert await log(one) == await reloaded_log(two)


@pytest.mark.parametrize(
    "deltas",
    [[*FIRST_HALF, *SECOND_HALF], [*THOUGHTS, "Hello."], [*THOUGHTS, *FIRST_HALF, *SECOND_HALF], LONG_BLOCKS],
    ids=["markdown", "reasoning", "both", "long-blocks"],
)
async def test_the_streamed_page_equals_the_reloaded_page(visits: Visits, provider: Provider, deltas: list[Delta]) -> None:
    page = await visits.open()
    await dictate(page, provider)
    await page.evaluate(COUNT_FRAMES)
    for count, some in enumerate(batched(deltas, max(len(deltas) // FRAMES, 1)), 1):
        provider.add(*some)
        await page.wait_for_function("count => window.frames_seen >= count", arg=count)
    provider.end()
    await becomes(page, "complete")
    assert await log(page) == await reloaded_log(page)


async def test_a_stopped_answer_is_stopped_in_the_other_tab_too(visits: Visits) -> None:
    one, two = await visits.open(), await visits.open()
    _, url = await begin(one, "/silent")
    await one.goto(url)
    await two.goto(url)
    await becomes(two, "running")
    await stop(one).click()
    for tab in (one, two):
        await becomes(tab, "stopped")
    assert await log(one) == await log(two)

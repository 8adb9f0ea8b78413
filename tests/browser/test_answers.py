"""The stories of an answer: it streams, it stops, it survives a reload, it is the same in two tabs."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from .chat import answer, ask, becomes, begin, grows, log, message, reloaded_log, send, source, stop, text
from .site import Site
from .visits import Visits
from .wire import Provider

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

AT_LENGTH = 240_000  # milliseconds: a model that shares two cores with everything else
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


async def test_an_answer_streams(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "hello /rate 400")
    await becomes(page, "complete")
    await page.evaluate(RECORD_STATUSES)
    await send(page, "/long 2 /rate 60 /delay 1")
    await expect(message(page)).to_have_value("")
    await becomes(page, "queued", "running")
    first = await grows(page)
    second = await grows(page, first)
    assert await grows(page, second) > second > first
    await becomes(page, "complete")
    assert await page.evaluate("window.statuses") == ["complete", "queued", "running", "complete"]
    assert await page.evaluate("window.said") == ["Answer finished", "Answering…", "Answer finished"]


async def test_between_send_and_the_first_token_the_page_shows_that_the_model_thinks(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "hello /delay 2")
    thinking = "getComputedStyle([...document.querySelectorAll('.answer-text')].at(-1), '::before').content"
    await becomes(page, "running")
    assert "Thinking" in await page.evaluate(thinking)
    await grows(page)
    assert await page.evaluate(thinking) == "none"


async def test_a_finished_answer_tells_model_tokens_cost_and_time(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "hello /rate 300")
    await becomes(page, "complete")
    facts = answer(page).get_by_role("list", name="About this answer")
    await expect(facts).to_contain_text("Echo demo")
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
    number = await ask(page, "/long 20 /rate 50")
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
    provider.say(pauses=True)
    await ask(page, "hello", model="Wire")
    await becomes(page, "running")
    await stop(page).click()
    await becomes(page, "stopped")
    await provider.hung_up.wait()


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


async def test_a_reload_in_mid_answer_shows_it_whole_and_goes_on(visits: Visits) -> None:
    page = await visits.open()
    number = await ask(page, "/markdown /rate 120")
    await grows(page, 300)
    await page.reload()
    assert await grows(page) >= 200
    await becomes(page, "complete")
    await expect(text(page)).to_contain_text("The end.")
    assert (await source(page, number)).count("The end.") == 1
    assert await log(page) == await reloaded_log(page)


async def test_two_tabs_stream_the_same_answer(visits: Visits) -> None:
    one = await visits.open()
    two = await visits.open()
    await ask(one, "/markdown /think /rate 250")
    await two.goto(one.url)
    for tab in (one, two):
        await grows(tab, 30)
    for tab in (one, two):
        await becomes(tab, "complete")
    assert await log(one) == await log(two)
    assert await log(one) == await reloaded_log(two)


@pytest.mark.parametrize(
    "prompt", ["/markdown /rate 300", "/think /rate 300", "/markdown /think /rate 2000", "/code 60 /list 40 /table 30 /rate 900"]
)
async def test_the_streamed_page_equals_the_reloaded_page(visits: Visits, prompt: str) -> None:
    page = await visits.open()
    await page.goto("/")
    await send(page, prompt)
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


@pytest.mark.local_model
class TestWithTheLocalModel:
    """The same with a real language model on this machine, over the same wire as any provider."""

    async def page(self, browser: Browser, site: Site) -> tuple[Visits, Page]:
        visits = Visits(browser, site)
        page = await visits.open()
        await page.goto("/")
        await page.get_by_role("combobox", name="Model").select_option(label="SmolLM2 135M Instruct")
        return visits, page

    async def test_it_streams(self, browser: Browser, local_site: Site) -> None:
        visits, page = await self.page(browser, local_site)
        await send(page, "Why is the sky blue? Answer in three sentences.")
        first = await grows(page)
        assert await grows(page, first) > first
        await becomes(page, "complete", patience=AT_LENGTH)
        await expect(answer(page)).to_contain_text("SmolLM2")
        await visits.close()

    async def test_it_stops(self, browser: Browser, local_site: Site) -> None:
        visits, page = await self.page(browser, local_site)
        await send(page, "Write a very long list of animals, each with a paragraph about it.")
        await grows(page, 20)
        await stop(page).click()
        await becomes(page, "stopped")
        assert await log(page) == await reloaded_log(page)
        await visits.close()

    async def test_a_reload_in_mid_answer_goes_on(self, browser: Browser, local_site: Site) -> None:
        visits, page = await self.page(browser, local_site)
        await send(page, "How does a rainbow form? Answer in one paragraph.")
        await grows(page, 20)
        await page.reload()
        await becomes(page, "complete", patience=AT_LENGTH)
        assert await log(page) == await reloaded_log(page)
        await visits.close()

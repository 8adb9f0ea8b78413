"""The same stories with a real language model on this machine, over the same wire as any provider.

Where a story needs it to be still writing, it is told to go on after its end.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from .chat import answer, becomes, follows, grows, log, message, reloaded_log, stop, text
from .chat import send as press_enter
from .site import Site
from .visits import Visits
from .wire import Network

pytestmark = [pytest.mark.browser, pytest.mark.local_model, pytest.mark.asyncio(loop_scope="session")]

AT_LENGTH = 240_000  # milliseconds: a model that shares two cores with everything else
NAME = "SmolLM2 135M Instruct"
BRIEF = "Why is the sky blue? Answer in one paragraph."
LONG = "Write a very long list of animals, each with a paragraph about it."
NETWORK_ERRORS = (r"net::ERR_", r"^WebSocket connection to .* failed", r"Failed to fetch", r"network error", r"^TypeError", r"^htmx: ")


@pytest_asyncio.fixture(loop_scope="session")
async def visits(browser: Browser, local_site: Site) -> AsyncIterator[Visits]:
    visits = Visits(browser, local_site)
    yield visits
    await visits.close()


async def send(page: Page, prompt: str, model: str = "Endless") -> None:
    """Begin a conversation with the local model, as a person does."""
    await page.goto("/")
    await page.get_by_role("combobox", name="Model").select_option(label=model)
    await press_enter(page, prompt)


async def end(*pages: Page) -> None:
    """Stop the answer in the first page, and find it the same in every page, and in a page loaded anew."""
    await stop(pages[0]).click()
    for page in pages:
        await becomes(page, "stopped")
    shown = {await log(page) for page in pages}
    assert shown == {await reloaded_log(pages[0])}


async def test_it_streams(visits: Visits) -> None:
    page = await visits.open()
    await send(page, LONG)
    first = await grows(page)
    second = await grows(page, first)
    assert await grows(page, second) > second > first
    await end(page)


async def test_it_comes_to_its_end(visits: Visits) -> None:
    page = await visits.open()
    await send(page, BRIEF, model=NAME)
    await becomes(page, "complete", patience=AT_LENGTH)
    await expect(answer(page)).to_contain_text(NAME)
    assert await log(page) == await reloaded_log(page)


async def test_it_stops(visits: Visits) -> None:
    page = await visits.open()
    await send(page, LONG)
    await grows(page, 20)
    await end(page)


async def test_a_reload_in_mid_answer_goes_on(visits: Visits) -> None:
    page = await visits.open()
    await send(page, LONG)
    await grows(page, 20)
    await page.reload()
    await follows(page)
    await grows(page, await grows(page))
    await end(page)


async def test_two_tabs_stream_the_same_answer(visits: Visits) -> None:
    one, two = await visits.open(), await visits.open()
    await send(one, LONG)
    await grows(one, 20)
    await two.goto(one.url)
    await follows(two)
    for tab in (one, two):
        await grows(tab, await grows(tab))
    await end(two, one)


async def test_seconds_without_network_cost_no_text_and_no_reload(visits: Visits, local_network: Network) -> None:
    visits.expect(*NETWORK_ERRORS)
    page = await visits.open(base_url=local_network.url)
    await send(page, LONG)
    await grows(page, 20)
    await page.evaluate("window.isSamePage = true")
    local_network.cut()
    await expect(page.get_by_role("alert").filter(has_text="The connection is lost.")).to_be_visible()
    before = await grows(page)
    await asyncio.sleep(3)  # the length of the outage is the claim
    local_network.mend()
    await grows(page, before)
    await expect(page.get_by_role("alert").filter(has_text="The connection is lost.")).to_be_hidden()
    assert await page.evaluate("window.isSamePage")
    await end(page)


async def test_it_answers_without_a_script(visits: Visits) -> None:
    page = await visits.open(java_script_enabled=False)
    await page.goto("/")
    await page.get_by_role("combobox", name="Model").select_option(label=NAME)
    await message(page).fill(BRIEF)
    await page.get_by_role("button", name="Send").click()
    await becomes(page, "complete", patience=AT_LENGTH)
    await expect(text(page)).not_to_be_empty()
    await expect(answer(page)).to_contain_text("tokens in")

"""The site without JavaScript: forms, redirects, and a page that refreshes while an answer is written."""

import asyncio
import re

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from tests.factories import PASSWORD

from .chat import answer, becomes, message, shows, stop, text
from .visits import Visits
from .wire import Provider, happens

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def page(visits: Visits) -> Page:
    return await visits.open("dora", java_script_enabled=False)


async def send(page: Page, prompt: str) -> None:
    await message(page).fill(prompt)
    await page.get_by_role("button", name="Send").click()


async def comes_to_rest(page: Page) -> None:
    """Answer the next refresh with 204, which leaves the page as it is: a click on a page that is being replaced goes nowhere."""
    refreshed = asyncio.Event()

    async def swallow(route: Route) -> None:
        await route.fulfill(status=204)
        refreshed.set()

    await page.route("**/conversations/*", swallow, times=1)
    await happens(refreshed)


async def test_log_in_ask_and_read_the_answer(visits: Visits) -> None:
    page = await visits.open("", java_script_enabled=False)
    await page.goto("/")
    await log_in(page)
    await expect(page.locator(".hint")).to_be_hidden()  # Enter sends only with script
    await send(page, "hello /rate 400")
    await expect(page.locator(".prompt")).to_contain_text("hello")
    await becomes(page, "complete")
    await expect(text(page)).to_contain_text("echo demo")
    await expect(text(page).locator("p").first).to_have_css("unicode-bidi", "plaintext")  # each paragraph has the direction of its words
    await expect(answer(page)).to_contain_text("tokens in")
    await send(page, "and again")
    await expect(page.locator(".prompt")).to_have_count(2)
    await becomes(page, "complete")


async def test_the_page_refreshes_only_while_an_answer_is_written(page: Page, provider: Provider) -> None:
    refresh = page.locator('meta[http-equiv="refresh"]')
    await page.goto("/")
    await page.get_by_role("combobox", name="Model").select_option(label="Wire")
    provider.say("Some words", pauses=True)
    await send(page, "Say what is dictated.")
    await shows(page, "Some words")
    await expect(refresh).to_have_count(1)
    provider.add(" and some more")
    await shows(page, "and some more")
    await expect(refresh).to_have_count(1)
    provider.end()
    await becomes(page, "complete")
    await expect(refresh).to_have_count(0)


async def test_stop_and_retry(page: Page) -> None:
    await page.goto("/")
    await send(page, "/silent")
    await comes_to_rest(page)
    await stop(page).click()
    await becomes(page, "stopped")
    first = await answer(page).get_attribute("id")
    await answer(page).get_by_role("button", name="Retry").click()
    await expect(answer(page)).not_to_have_attribute("id", str(first))
    await becomes(page, "running", "queued")
    await comes_to_rest(page)
    await stop(page).click()
    await becomes(page, "stopped")


async def test_rename_delete_and_undo(page: Page) -> None:
    await page.goto("/")
    await send(page, "a conversation to rename /rate 500")
    await becomes(page, "complete")
    menu = page.get_by_role("button", name=re.compile("Options for a conversation to rename")).first
    await menu.click()
    await page.get_by_role("textbox", name="Title").fill("Sea and sand")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sea and sand")
    await page.get_by_role("button", name="Options for Sea and sand").click()
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("status").first).to_contain_text("was deleted")
    await expect(page.get_by_role("link", name="Sea and sand")).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("link", name="Sea and sand")).to_have_count(1)


async def log_in(page: Page) -> None:
    await page.get_by_label("Username").fill("dora")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()


async def test_a_prompt_sent_while_signed_out_is_not_lost(visits: Visits, page: Page) -> None:
    visits.expect(r"status of 40[13]")
    await page.goto("/")
    await send(page, "before /rate 500")
    await becomes(page, "complete")
    conversation = page.url.partition("#")[0]
    await page.context.clear_cookies(name="sessionid")
    await send(page, "do not lose me /rate 500")
    await expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    async with page.context.expect_page() as opened:
        await page.get_by_role("link", name="Log in").click()
    tab = await opened.value
    await log_in(tab)
    await expect(tab).to_have_url(conversation)
    await page.get_by_role("button", name="Send again").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("The page was open too long")
    await expect(page.get_by_role("textbox", name="What you wrote")).to_have_value("do not lose me /rate 500")
    await page.get_by_role("button", name="Send again").click()
    await expect(page).to_have_url(re.compile(re.escape(conversation)))
    await expect(page.locator(".prompt").last).to_contain_text("do not lose me")
    await expect(page.locator(".prompt")).to_have_count(2)


async def test_a_refused_prompt_stays_in_the_composer(visits: Visits, page: Page) -> None:
    visits.expect(r"status of 422")
    await page.goto("/")
    await page.get_by_role("combobox", name="Model").wait_for()
    await send(page, "   ")
    await expect(page.get_by_role("alert")).to_contain_text("Write a message first.")


async def test_buttons_that_need_a_script_are_not_shown(page: Page) -> None:
    await page.goto("/")
    await send(page, "/markdown /rate 5000")
    await becomes(page, "complete")
    await expect(page.get_by_role("button", name=re.compile("^Copy"))).to_have_count(0)


async def test_the_theme_can_be_chosen(page: Page) -> None:
    await page.goto("/")
    await page.locator(".account summary").click()
    await page.get_by_role("button", name="Dark").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")

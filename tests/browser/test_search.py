"""From a word one remembers to the message it stands in: as one types, by keyboard, and without script."""

import re

import pytest
from playwright.async_api import expect

from .chat import ask, becomes, begin
from .visits import Visits

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_message_is_found_as_one_types_and_reached_by_keyboard(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "The <b>zebra</b> at the café /rate 500")
    await becomes(page, "complete")
    conversation = page.url
    await page.keyboard.press("Control+Shift+F")
    field = page.get_by_role("searchbox", name="Search your conversations")
    await expect(field).to_be_focused()
    await expect(page.get_by_text("these words in a row")).to_be_visible()
    await page.keyboard.type("cafe zeb")
    result = page.get_by_role("list", name="Messages").get_by_role("link", name="You").first
    await expect(result.locator("mark")).to_have_text(["zeb", "café"])
    await expect(result).to_contain_text("The <b>zebra</b> at the café")
    await expect(page).to_have_url(re.compile(r"/search\?q=cafe\+zeb$"))
    await page.reload()
    await expect(field).to_have_value("cafe zeb")
    for _ in range(9):
        await page.keyboard.press("ArrowDown")
        if await result.evaluate("element => element === document.activeElement"):
            break
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(re.escape(conversation) + r"\?message=\d+#message-\d+$"))
    await expect(page.locator(".bubble").first).to_be_in_viewport()


async def test_older_results_come_below_and_the_focus_goes_on_with_them(visits: Visits) -> None:
    page = await visits.open()
    for number in range(21):
        await begin(page, f"giraffe number {number}")
    await page.goto("/search?q=giraffe")
    items = page.get_by_role("list", name="Messages").get_by_role("listitem")
    await expect(items).to_have_count(21)
    await page.get_by_role("link", name="Older messages").press("Enter")
    await expect(items.nth(20)).to_contain_text("giraffe")
    await expect(items.nth(20).get_by_role("link")).to_be_focused()


async def test_the_search_works_without_script(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "An okapi /rate 500")
    await becomes(page, "complete")
    page = await visits.open(java_script_enabled=False)
    await page.goto("/")
    await page.get_by_role("link", name="Search").click()
    await page.get_by_role("searchbox").fill("okapi")
    await page.get_by_role("button", name="Search").click()
    await page.get_by_role("list", name="Messages").get_by_role("link", name="You").first.click()
    await expect(page.locator(".bubble").first).to_contain_text("An okapi")

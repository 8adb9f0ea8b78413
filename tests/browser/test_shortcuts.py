"""Keys that work anywhere in a page, and the palette that finds anything by its name."""

import pytest
from playwright.async_api import Page, expect

from .axe import violations
from .chat import ask, becomes, message
from .visits import Visits

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FIELD = "Type a command or the title of a conversation"


async def test_the_palette_finds_a_conversation_and_a_command_by_keyboard_alone(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "a needle for the palette /rate 5000")
    await becomes(page, "complete")
    needle = page.url
    await page.keyboard.press("Control+Shift+O")
    await expect(page.get_by_role("heading", level=1)).to_have_text("What are you curious about?")
    await page.keyboard.press("Control+K")
    field = page.get_by_role("textbox", name=FIELD)
    await expect(field).to_be_focused()
    assert not await violations(page)
    await page.keyboard.type("NEEDLE palette")
    options = page.locator(".options li")
    await expect(options).to_have_count(1)
    await page.keyboard.press("ArrowDown")
    await expect(options.get_by_role("link")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.wait_for_url(needle)
    await page.keyboard.press("Control+K")
    await page.keyboard.type("delete this")
    await expect(options).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("was deleted.")).to_be_visible()


async def test_the_palette_leads_to_a_new_name_and_that_back_to_the_conversation(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "an old name /rate 5000")
    await becomes(page, "complete")
    await page.keyboard.press("Control+K")
    await page.keyboard.type("rename this")
    await expect(page.locator(".options li")).to_have_count(1)
    await page.keyboard.press("Enter")
    await page.get_by_role("textbox", name="Title").fill("A new name")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("A new name")


async def test_the_palette_says_so_when_nothing_matches_and_gives_the_focus_back(visits: Visits) -> None:
    page = await visits.open()
    await page.goto("/")
    await message(page).fill("a draft")
    await page.keyboard.press("Control+K")
    await page.keyboard.type("<b>no such thing")
    await expect(page.get_by_text("Nothing is called “<b>no such thing”.")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(message(page)).to_be_focused()
    await expect(message(page)).to_have_value("a draft")


async def test_a_question_mark_lists_the_keys_but_not_while_one_writes(visits: Visits) -> None:
    page = await visits.open()
    await page.goto("/")
    await message(page).focus()
    await page.keyboard.type("Why?")
    await expect(message(page)).to_have_value("Why?")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.locator("main").focus()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert not await violations(page)
    await page.keyboard.press("Escape")
    await page.keyboard.press("Shift+Escape")
    await expect(message(page)).to_be_focused()
    await page.keyboard.press("Control+/")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+K")
    await page.keyboard.type("keyboard short")
    await expect(page.locator(".options li")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


async def test_the_last_answer_is_copied_and_stopped_by_keys(visits: Visits) -> None:
    page = await visits.open(permissions=["clipboard-read", "clipboard-write"])
    await ask(page, "/silent")
    await becomes(page, "running")
    await page.keyboard.press("Control+Shift+X")
    await becomes(page, "stopped")
    await ask_again(page, "copy me /rate 5000")
    await page.keyboard.press("Control+Shift+C")
    await expect(page.locator("#sr")).to_have_text("Copied")
    assert "copy me" in await page.evaluate("navigator.clipboard.readText()")


async def ask_again(page: Page, prompt: str) -> None:
    await message(page).fill(prompt)
    await page.keyboard.press("Enter")
    await expect(page.locator(".prompt")).to_have_count(2)
    await becomes(page, "complete")

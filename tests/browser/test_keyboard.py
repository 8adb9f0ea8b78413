"""The whole of a conversation without a mouse."""

import pytest
from playwright.async_api import Page, expect

from .chat import ask, becomes, dictate, message, shows, stop
from .visits import Visits
from .wire import Provider

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FOCUSED = (
    "() => { const e = document.activeElement; return e.getAttribute('aria-label') || e.textContent.trim().slice(0, 40) || e.tagName }"
)


async def tab_until(page: Page, name: str, most: int = 60, key: str = "Tab") -> list[str]:
    """Press Tab until the control has the focus; return the names passed on the way."""
    passed: list[str] = []
    while not passed or passed[-1] != name:
        assert len(passed) < most, passed
        await page.keyboard.press(key)
        passed.append(await page.evaluate(FOCUSED))
    return passed


async def test_a_new_chat_begins_with_the_focus_in_the_textbox(visits: Visits) -> None:
    page = await visits.open()
    await page.goto("/")
    await expect(message(page)).to_be_focused()
    await page.keyboard.type("hello /rate 500")
    await page.keyboard.press("Enter")
    await becomes(page, "complete")
    await expect(message(page)).to_be_focused()
    await page.keyboard.type("again")
    await page.keyboard.press("Enter")
    await expect(page.locator(".prompt")).to_have_count(2)
    await becomes(page, "complete")


async def test_the_skip_link_comes_first_and_leads_to_the_conversation(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "hello /rate 500")
    await becomes(page, "complete")
    await page.get_by_role("link", name="Chat", exact=True).focus()
    await page.keyboard.press("Shift+Tab")
    assert await page.evaluate(FOCUSED) == "Skip to the conversation"
    await page.keyboard.press("Enter")
    passed = [name.split()[0] for name in await tab_until(page, "Send") if name]
    assert passed.index("Conversation") < passed.index("Copy") < passed.index("Retry") < passed.index("Message") < passed.index("Model")


async def test_stop_can_be_reached_and_pressed_by_keyboard(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "/silent")
    await becomes(page, "running")
    await expect(stop(page)).to_have_count(1)
    await message(page).focus()
    await tab_until(page, "Stop", most=6, key="Shift+Tab")
    await page.keyboard.press("Enter")
    await becomes(page, "stopped")
    await expect(message(page)).to_be_focused()


async def test_shift_and_enter_break_the_line(visits: Visits) -> None:
    page = await visits.open()
    await page.goto("/")
    await page.keyboard.type("one")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two /rate 500")
    await expect(message(page)).to_have_value("one\ntwo /rate 500")
    await page.keyboard.press("Enter")
    await becomes(page, "complete")
    await expect(page.locator(".bubble")).to_have_text("one\ntwo /rate 500")


async def test_enter_that_ends_an_input_method_s_composition_does_not_send(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "hello /rate 500")
    await becomes(page, "complete")
    await message(page).focus()
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Input.imeSetComposition", {"text": "に", "selectionStart": 1, "selectionEnd": 1})
    await page.evaluate("""() => document.querySelector("#message").dispatchEvent(
        new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true }))""")
    await devtools.send("Input.insertText", {"text": "日本"})
    await expect(message(page)).to_have_value("日本")
    await page.keyboard.press("Enter")
    await expect(page.locator(".bubble")).to_have_text(["hello /rate 500", "日本"])


async def test_enter_on_a_touch_keyboard_breaks_the_line(visits: Visits) -> None:
    page = await visits.open(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 800})
    await page.goto("/")
    await message(page).fill("one")
    await message(page).press("Enter")
    await expect(message(page)).to_have_value("one\n")


async def test_escape_closes_the_menu_of_a_conversation_and_gives_the_focus_back(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "a menu to close /rate 500")
    await becomes(page, "complete")
    menu = page.get_by_role("button", name="Options for a menu to close /rate 500").first
    await menu.focus()
    await page.keyboard.press("Enter")
    title = page.get_by_role("textbox", name="Title")
    await expect(title).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(title).to_be_hidden()
    await expect(menu).to_be_focused()


async def test_the_drawer_of_a_phone_opens_and_closes_by_keyboard(visits: Visits) -> None:
    page = await visits.open(viewport={"width": 390, "height": 800})
    await page.goto("/")
    drawer = page.get_by_role("navigation", name="Conversations")
    await expect(drawer).to_be_hidden()
    await page.get_by_role("button", name="Open the sidebar").press("Enter")
    await expect(drawer).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(drawer).to_be_hidden()


async def test_rename_by_keyboard(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "rename me by keyboard /rate 500")
    await becomes(page, "complete")
    await page.get_by_role("button", name="Options for rename me by keyboard /rate 500").first.press("Enter")
    title = page.get_by_role("textbox", name="Title")
    await title.fill("Renamed by keyboard")
    await title.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Renamed by keyboard")


async def test_the_focus_is_never_lost_to_the_page_when_an_answer_ends(visits: Visits, provider: Provider) -> None:
    page = await visits.open()
    await dictate(page, provider, "Hello")
    await shows(page, "Hello")
    await stop(page).focus()
    provider.end()
    await becomes(page, "complete")
    await expect(message(page)).to_be_focused()

"""What one does with an answer that has ended: unfold its code, rate it, comment, edit it, copy it as text."""

import pytest
from playwright.async_api import Page, expect

from .chat import answer, becomes, dictate, shows, text
from .visits import Visits
from .wire import Provider

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

CODE = "```python\n" + "".join(f"line_{number} = {number}\n" for number in range(60)) + "```\n"
LAST_LINE = "line_59 = 59"


async def last_line_is_shown(page: Page) -> bool:
    """Whether the code is as high as its lines."""
    return bool(await page.evaluate("(pre => pre.scrollHeight - pre.clientHeight < 8)(document.querySelector('figure.code pre'))"))


async def test_long_code_is_folded_once_nobody_watches_it_arrive(visits: Visits, provider: Provider) -> None:
    page = await visits.open()
    await dictate(page, provider, CODE)
    await shows(page, LAST_LINE)
    provider.add("\nThat was *it*.")
    await shows(page, "That was it.")
    fold = page.locator("figure.code summary")
    await expect(fold).to_be_hidden()
    assert await last_line_is_shown(page)
    provider.end()
    await becomes(page, "complete")
    await expect(fold).to_have_text("Show fewer lines", use_inner_text=True)
    assert await last_line_is_shown(page)
    await page.reload()
    await expect(fold).to_have_text("Show all 60 lines", use_inner_text=True)
    assert not await last_line_is_shown(page)
    await fold.press("Enter")
    assert await last_line_is_shown(page)


async def test_an_answer_is_rated_commented_edited_and_copied(visits: Visits, provider: Provider) -> None:
    page = await visits.open()
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await dictate(page, provider, "It is *blue*.")
    provider.end()
    await becomes(page, "complete")

    good, bad = (page.get_by_role("button", name=f"{name} answer", exact=True) for name in ("Good", "Bad"))
    await good.press("Enter")
    await expect(good).to_have_attribute("aria-pressed", "true")
    await expect(good).to_be_focused()
    await bad.press("Enter")
    await expect(bad).to_have_attribute("aria-pressed", "true")
    await expect(good).to_have_attribute("aria-pressed", "false")
    await page.get_by_role("link", name="Comment on").click()
    await page.get_by_role("textbox", name="Comment").fill("Not at night.")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("textbox", name="Comment")).to_have_count(0)
    await bad.press("Enter")
    await expect(bad).to_have_attribute("aria-pressed", "false")

    await page.get_by_role("button", name="More for It is").click()
    await page.get_by_role("link", name="Copy as text").click()
    await page.wait_for_function("async () => await navigator.clipboard.readText() === 'It is blue.'")

    await page.get_by_role("button", name="More for It is").click()
    await page.get_by_role("link", name="Edit this answer").click()
    await expect(page.get_by_role("textbox", name="Edit the answer")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="More for It is")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="Edit this answer").click()
    await page.get_by_role("textbox", name="Edit the answer").fill("It is **grey**.")
    await page.get_by_role("button", name="Save").click()
    await expect(text(page)).to_have_text("It is grey.")
    await expect(answer(page).get_by_role("list", name="About this answer")).to_contain_text("edited")
    await page.reload()
    await expect(text(page)).to_have_text("It is grey.")

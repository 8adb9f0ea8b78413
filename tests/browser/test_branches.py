"""The stories of a tree: edit, answer again, go on, compare, fork and delete, with every open page in step."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from .chat import answer, ask, becomes, dictate, log, message, reloaded_log, send, shows, stop, text
from .visits import Visits
from .wire import Provider

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def prompts(page: Page) -> Locator:
    return page.locator("#log > .prompt")


async def more(entry: Locator, item: str) -> None:
    """Choose an item of the menu of a message."""
    await entry.hover()
    await entry.get_by_role("button", name="More").click()
    await entry.locator(".menu").get_by_text(item).click()


async def edit(page: Page, number: int, prompt: str) -> None:
    entry = prompts(page).nth(number)
    await entry.hover()
    await entry.get_by_role("link", name="Edit").click()
    field = entry.get_by_role("textbox", name="Edit your message")
    await expect(field).to_be_focused()
    await field.fill(prompt)
    await field.press("Enter")


async def test_a_prompt_is_edited_and_each_version_found_again_in_every_tab(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "first /rate 5000")
    await becomes(page, "complete")
    await send(page, "second /rate 5000")
    await expect(prompts(page)).to_have_count(2)
    await becomes(page, "complete")
    there = await page.context.new_page()
    await there.goto(page.url)
    await edit(page, 0, "other beginning /rate 5000")
    for tab in (page, there):
        await expect(prompts(tab)).to_have_text([re.compile("other beginning")])
        await becomes(tab, "complete")
        await expect(tab.get_by_role("navigation", name="Version 2 of 2")).to_be_visible()
    await expect(message(page)).to_be_focused()
    await page.get_by_role("button", name="Previous version").focus()
    await page.keyboard.press("Enter")
    for tab in (page, there):
        await expect(prompts(tab)).to_have_text([re.compile("first"), re.compile("second")])
    await expect(page.get_by_role("button", name="Previous version")).to_be_focused()
    await expect(page.get_by_role("button", name="Previous version")).to_have_attribute("aria-disabled", "true")
    assert await log(page) == await log(there) == await reloaded_log(page)


async def test_an_edit_in_a_tab_of_its_own_leads_back_to_the_conversation(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "first /rate 5000")
    await becomes(page, "complete")
    address = await prompts(page).get_by_role("link", name="Edit").get_attribute("href")
    await page.goto(str(address))
    await page.get_by_role("textbox", name="Edit your message").fill("other beginning /rate 5000")
    await page.keyboard.press("Enter")
    await expect(prompts(page)).to_have_text([re.compile("other beginning")])
    await becomes(page, "complete")


async def test_an_answer_in_the_middle_is_given_again_compared_kept_and_the_turn_deleted(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "first /rate 5000")
    await becomes(page, "complete")
    await send(page, "second /rate 5000")
    await expect(prompts(page)).to_have_count(2)
    await becomes(page, "complete")
    first = page.locator("#log > .answer").first
    await first.hover()
    await first.get_by_role("button", name="Retry").click()
    await expect(prompts(page)).to_have_count(1)
    await becomes(page, "complete")
    await expect(page.get_by_role("navigation", name="Answer 2 of 2")).to_be_visible()
    there = await page.context.new_page()
    await there.goto(page.url)
    await more(answer(page), "Compare two models")
    await page.get_by_label("Answer again with").select_option(label="Echo (demo)")
    await page.get_by_label("and compare with").select_option(label="Echo (demo)")
    await page.get_by_role("button", name="Answer again").click()
    for tab in (page, there):
        await expect(tab.locator('.is-compared[data-status="complete"]')).to_have_count(2)
    left, right = [await page.locator(".is-compared").nth(n).bounding_box() for n in (0, 1)]
    assert left
    assert right
    assert (left["y"], left["x"] < right["x"]) == (right["y"], True)
    assert await log(page) == await reloaded_log(page)
    await page.get_by_role("button", name="Keep this one").last.click()
    for tab in (page, there):
        await expect(tab.locator(".is-compared")).to_have_count(0)
        await expect(tab.get_by_role("navigation", name="Answer 4 of 4")).to_be_visible()
    await more(prompts(page).first, "Delete from here on")
    for tab in (page, there):
        await expect(prompts(tab)).to_have_count(0)
        await expect(tab.get_by_text("Nothing is here yet")).to_be_visible()
    await page.get_by_role("button", name="Undo").click()
    for tab in (page, there):
        await expect(tab.get_by_role("navigation", name="Answer 4 of 4")).to_be_visible()
    await expect(page.locator(".notice")).to_have_count(0)
    await more(answer(page), "Fork into a new conversation")
    await expect(page.locator("h1")).to_contain_text("(fork)")
    assert page.url != there.url
    await expect(page.locator("#log > article")).to_have_count(2)


async def test_an_answer_that_was_stopped_is_continued_beside_what_there_is(visits: Visits, provider: Provider) -> None:
    page = await visits.open()
    await dictate(page, provider, "Half of the")
    await shows(page, "Half of the")
    await stop(page).click()
    await becomes(page, "stopped")
    provider.say(pauses=True)
    await answer(page).get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("navigation", name="Answer 2 of 2")).to_be_visible()
    await expect(text(page)).to_have_text("Half of the")
    await becomes(page, "running")
    await expect(text(page)).to_have_text("Half of the")
    provider.add(" way, and the rest.")
    await expect(text(page)).to_have_text("Half of the way, and the rest.")
    provider.end()
    await becomes(page, "complete")
    assert await log(page) == await reloaded_log(page)
    await page.get_by_role("button", name="Previous answer").click()
    await expect(text(page)).to_have_text("Half of the")


async def test_a_branch_deleted_elsewhere_while_it_streams_goes_and_an_edit_meanwhile_is_refused_and_kept(
    visits: Visits, provider: Provider
) -> None:
    visits.expect(r"status of 409")
    page = await visits.open()
    await ask(page, "first /rate 5000")
    await becomes(page, "complete")
    there = await page.context.new_page()
    await there.goto(page.url)
    await prompts(there).first.hover()
    await prompts(there).first.get_by_role("link", name="Edit").click()
    field = there.get_by_role("textbox", name="Edit your message")
    await field.fill("an edit that takes a while")
    provider.say("Some", pauses=True)
    await page.locator("select[name=model]").select_option(label="Wire")
    await send(page, "second")
    for tab in (page, there):
        await shows(tab, "Some")
    await there.locator("form.edit").get_by_role("button", name="Send").click()
    await expect(there.locator("form.edit")).to_contain_text("An answer is still being written.")
    await expect(field).to_have_value("an edit that takes a while")
    await more(prompts(page).last, "Delete from here on")
    for tab in (page, there):
        await expect(prompts(tab)).to_have_count(1)
        assert await tab.locator("#toasts .toast").count() == 0
    await provider.is_hung_up_on()
    await expect(field).to_have_value("an edit that takes a while")
    await there.locator("form.edit").get_by_label("Model for the edited message").select_option(label="Echo (demo)")
    await there.locator("form.edit").get_by_role("button", name="Send").click()
    for tab in (page, there):
        await expect(prompts(tab)).to_have_text([re.compile("an edit that takes a while")])
        await becomes(tab, "complete")


async def test_the_tree_works_without_script(visits: Visits) -> None:
    page = await visits.open("dora", java_script_enabled=False)
    await page.goto("/")
    await message(page).fill("first /rate 5000")
    await page.get_by_role("button", name="Send").click()
    await becomes(page, "complete")
    await prompts(page).first.hover()
    await page.get_by_role("link", name="Edit first").click()
    await page.get_by_role("textbox", name="Edit your message").fill("anew /rate 5000")
    await page.get_by_role("button", name="Send").click()
    await expect(prompts(page)).to_have_text([re.compile("anew")])
    await becomes(page, "complete")
    await page.get_by_role("button", name="Previous version").click()
    await expect(prompts(page)).to_have_text([re.compile("first")])
    await more(prompts(page).first, "Compare two models")
    await page.get_by_label("and compare with").select_option(label="Echo (demo)")
    await page.get_by_role("button", name="Answer again").click()
    await expect(page.locator('.is-compared[data-status="complete"]')).to_have_count(2)
    await page.get_by_role("button", name="Keep this one").first.click()
    await expect(page.get_by_role("navigation", name="Answer 2 of 3")).to_be_visible()
    await more(prompts(page).first, "Delete from here on")
    await expect(page.get_by_role("status").filter(has_text="The turn was deleted")).to_be_visible()
    await expect(prompts(page)).to_have_text([re.compile("anew")])
    await page.get_by_role("button", name="Undo").click()
    await expect(prompts(page)).to_have_text([re.compile("first")])

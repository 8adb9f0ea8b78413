"""The sidebar in the hands of a person with many conversations, and temporary ones: each capability once."""

import subprocess
import sys

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from .chat import answer, becomes, message, send
from .site import ROOT, Site
from .test_in_step import Socket
from .visits import CSRF, Visits

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
AMOUNT = 120


@pytest.fixture(scope="module")
def crowded(site: Site) -> Site:
    """alice's and bob's pages are other stories'; erin has many."""
    command = [sys.executable, "-m", "tests.browser.many", "erin", str(AMOUNT)]
    subprocess.run(command, cwd=ROOT, env=site.environment, check=True, capture_output=True)
    return site


@pytest_asyncio.fixture(loop_scope="session")
async def page(visits: Visits, crowded: Site) -> Page:
    page = await visits.open("erin")
    await page.goto("/")
    return page


def entries(page: Page) -> Locator:
    return page.locator("#conversations li[id]")


def entry(page: Page, title: str) -> Locator:
    return entries(page).filter(has_text=title)


def field(page: Page) -> Locator:
    return page.locator("#conversations .rename").get_by_role("textbox", name="Title")


async def open_menu(page: Page, title: str) -> Locator:
    await page.get_by_role("button", name=f"Options for {title}").press("Enter")
    menu = page.locator("#item-menu:popover-open")
    await expect(menu.get_by_role("textbox", name="Title")).to_be_focused()
    return menu


async def undo(page: Page, told: str) -> None:
    await expect(page.locator(".notice")).to_contain_text(told)
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(".notice")).to_have_count(0)


async def titles(page: Page) -> list[str]:
    return [title.strip() for title in await page.locator("#conversations li[id] > a").all_text_contents()]


async def test_pages_that_were_loaded_by_scrolling_stay_right_whatever_happens_elsewhere(page: Page) -> None:
    there = await page.context.new_page()
    socket = Socket(there)
    await there.goto("/")
    await socket.speaks()
    await expect(entries(there)).to_have_count(50)
    await there.get_by_role("link", name="Older conversations").scroll_into_view_if_needed()
    await expect(entry(there, "Number 080")).to_have_count(1)
    before = await titles(there)
    for title, do in (("Number 060", "delete"), ("Number 010", "archive"), ("Number 070", "pin")):
        menu = await open_menu(page, title) if title == "Number 010" else None
        if menu:
            await menu.get_by_role("button", name="Archive").press("Enter")
            await expect(page.locator(".notice")).to_contain_text("was archived")
        else:
            key = (await entry(there, title).get_attribute("id") or "").removeprefix("conversation-")
            form = {"do": do, "conversation": key, "csrfmiddlewaretoken": CSRF}
            reply = await page.context.request.post("/conversations/selection", form=form, headers={"X-CSRFToken": CSRF})
            assert reply.ok
    await send(page, "a newcomer /rate 5000")
    await becomes(page, "complete")
    await expect(entry(there, "a newcomer")).to_have_count(1)
    await expect(entry(there, "Number 060")).to_have_count(0)
    await expect(entry(there, "Number 010")).to_have_count(0)
    await expect(there.locator(".period").first).to_have_text("Pinned")
    after = [title for title in await titles(there) if "newcomer" not in title]
    assert after[0] == "Number 070"
    assert after[1:] == [title for title in before if title not in ("Number 060", "Number 010", "Number 070")]
    assert len(set(await titles(there))) == len(after) + 1


async def test_a_menu_by_keyboard_pins_files_and_archives_and_each_is_undone(page: Page) -> None:
    menu = await open_menu(page, "Number 003")
    await menu.get_by_role("button", name="Move to a folder").press("Enter")
    await expect(menu.locator(".where button").first).to_be_focused()
    await menu.get_by_role("textbox", name="New folder").fill("Sea & sand")
    await page.keyboard.press("Enter")
    await expect(menu).to_have_count(0)
    await undo(page, "“Number 003” was moved.")
    for label, told in (("Pin", "was pinned"), ("Archive", "was archived"), ("Delete", "was deleted")):
        menu = await open_menu(page, "Number 003")
        await menu.get_by_role("button", name=label, exact=True).press("Enter")
        next_wanted = page.get_by_role("button", name="Options for Number 003" if label == "Pin" else "Undo")
        await expect(next_wanted).to_be_focused()
        await undo(page, f"“Number 003” {told}.")
        await expect(entry(page, "Number 003")).to_have_count(1)
    await page.goto("/folders")
    await page.get_by_role("link", name="Sea & sand").click()
    await expect(page.locator("#conversations .empty")).to_contain_text("Nothing is in this folder.")


async def test_a_name_is_changed_in_its_place(visits: Visits, page: Page) -> None:
    visits.expect(r"status of 422", r"^htmx: ")
    await entry(page, "Number 005").get_by_role("link").click()
    link = page.locator("#conversations [aria-current]")
    await link.hover()
    await link.dblclick()
    await expect(field(page)).to_be_focused()
    await field(page).press("Escape")
    await expect(link).to_be_focused()
    await link.press("F2")
    await field(page).fill("Renamed <b>in place</b>")
    await field(page).press("Enter")
    await expect(page.locator("h1")).to_have_text("Renamed <b>in place</b>")
    await expect(link).to_have_text("Renamed <b>in place</b>")
    await expect(field(page)).to_have_count(0)
    await link.press("F2")
    await field(page).fill("\u200b")
    await field(page).press("Enter")
    await expect(page.locator("#conversations").get_by_role("alert")).to_have_text("Give the conversation a name.")
    await field(page).press("Escape")
    await expect(link).to_have_text("Renamed <b>in place</b>")


async def test_many_are_selected_deleted_together_and_had_back(page: Page) -> None:
    count = await entries(page).count()
    await page.locator(".tools label").click()
    for title in ("Number 020", "Number 021"):
        await page.get_by_role("checkbox", name=f"Select {title}").check()
    await page.get_by_role("button", name="Delete").click()
    await expect(entry(page, "Number 020")).to_have_count(0)
    await expect(page.get_by_role("checkbox", name="Select Number 022")).to_be_hidden()
    await undo(page, "2 conversations were deleted.")
    await expect(entries(page)).to_have_count(count)


async def test_without_script_the_same_is_done_by_pages(visits: Visits, crowded: Site) -> None:
    page = await visits.open("erin", java_script_enabled=False)
    await page.goto("/")
    await page.get_by_role("link", name="Older conversations").click()
    await page.get_by_role("button", name="Options for Number 090").click()
    await page.get_by_role("button", name="Move to a folder").click()
    await page.get_by_role("textbox", name="New folder").fill("Drawer")
    await page.get_by_role("button", name="Move", exact=True).last.click()
    await undo(page, "was moved")
    await page.locator(".tools label").click()
    for n in (30, 31):
        await page.get_by_role("checkbox", name=f"Select Number 0{n}").check()
    await page.get_by_role("button", name="Archive").first.click()
    await expect(page.locator(".notice")).to_contain_text("2 conversations were archived.")
    await page.goto("/archive")
    await page.get_by_role("checkbox", name="Select Number 030").last.check()
    await page.get_by_role("button", name="Delete", exact=True).last.click()
    await expect(page.locator(".notice")).to_contain_text("was deleted")
    await page.goto("/trash")
    await page.get_by_role("checkbox", name="Select Number 030").check()
    await page.get_by_role("button", name="Delete for good").click()
    await expect(page.get_by_role("heading", name="Delete for good?")).to_be_visible()
    await page.get_by_role("link", name="Cancel").click()
    await page.get_by_role("checkbox", name="Select Number 030").check()
    await page.get_by_role("button", name="Restore").click()
    await expect(page.get_by_role("checkbox", name="Select Number 030")).to_have_count(0)
    key = (await entry(page, "Number 040").get_attribute("id") or "").removeprefix("conversation-")
    form = {"do": "delete", "conversation": key, "csrfmiddlewaretoken": CSRF}
    assert (await page.context.request.post("/conversations/selection", form=form, headers={"X-CSRFToken": CSRF})).ok
    await page.goto("/trash")
    await page.get_by_role("link", name="Empty the trash").click()
    await page.get_by_role("button", name="Delete for good").click()
    await expect(page.get_by_text("The trash is empty.")).to_be_visible()


async def test_a_temporary_chat_outlives_a_reload_and_is_gone_when_it_is_ended(visits: Visits) -> None:
    visits.expect(r"status of 404")
    page = await visits.open("bob")
    await page.goto("/")
    await page.get_by_label("Temporary chat").check()
    await expect(page.locator("#temporary-told")).to_be_visible()
    await send(page, "between us /rate 5000")
    await becomes(page, "complete")
    await expect(page.get_by_text("Gone for good soon after you leave.")).to_be_visible()
    await expect(entries(page).filter(has_text="between us")).to_have_count(0)
    async with page.expect_request("**/presence") as left:
        await page.reload()
    assert (await left.value).method == "POST"
    await becomes(page, "complete")
    await message(page).fill("still here /rate 5000")
    await message(page).press("Enter")
    await expect(page.locator("#log > article")).to_have_count(4)
    await becomes(page, "complete")
    await expect(answer(page)).to_be_visible()
    url = page.url
    await page.get_by_role("button", name="End now").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("curious")
    await page.goto(url)
    await expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")

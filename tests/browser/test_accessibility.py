"""No page of ours breaks a rule of axe or of the Content-Security-Policy, light or dark, on a screen or a phone.

The pages of the admin are walked in test_admin_accessibility.py.
"""

import hashlib
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from . import axe
from .chat import answer, ask, becomes, grows, stop
from .site import Site
from .visits import CSRF, Visits

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

WIDTHS = (1200, 390, 320)


async def test_axe_is_the_file_that_was_vendored() -> None:
    assert hashlib.sha256(axe.FILE.read_bytes()).hexdigest() == axe.SHA256


async def finished(page: Page, prompt: str, status: str = "complete") -> None:
    await ask(page, prompt)
    await becomes(page, status)


async def found(page: Page) -> None:
    await finished(page, "A pangolin <b>walks</b> /rate 500")
    await page.goto("/search?q=pangolin")
    await expect(page.locator(".results mark").first).to_have_text("pangolin")


async def streaming(page: Page) -> None:
    await ask(page, "/long 400 /rate 15 /think")
    await grows(page, 20)


async def thinking(page: Page) -> None:
    await ask(page, "/silent")
    await becomes(page, "running")


async def stopped(page: Page) -> None:
    await streaming(page)
    await stop(page).click()
    await becomes(page, "stopped")


async def menus(page: Page) -> None:
    await finished(page, "hello /rate 500")
    if (page.viewport_size or {"width": 0})["width"] < 768:
        await page.get_by_role("button", name="Open the sidebar").click()
    await page.locator(".account summary").click()


async def conversation_menu(page: Page) -> None:
    await menus(page)
    await page.get_by_role("button", name="Options for hello /rate 500").first.click()
    await expect(page.get_by_role("textbox", name="Title")).to_be_visible()


async def selecting(page: Page) -> None:
    await menus(page)
    await page.locator(".tools label").click()
    await expect(page.get_by_role("checkbox", name="Select hello /rate 500").first).to_be_visible()


async def temporary(page: Page) -> None:
    await page.goto("/")
    await page.get_by_label("Temporary chat").check()
    await page.get_by_role("textbox", name="Message").fill("hello /rate 500")
    await page.keyboard.press("Enter")
    await becomes(page, "complete")


async def shelf(page: Page, act: str, path: str) -> None:
    """A page with something on it."""
    await finished(page, "hello /rate 500")
    number = page.url.rpartition("/")[2].partition("#")[0]
    form = {"do": act, "conversation": number, "csrfmiddlewaretoken": CSRF}
    await page.context.request.post("/conversations/selection", form=form, headers={"X-CSRFToken": CSRF})
    await page.goto(path)


async def archive(page: Page) -> None:
    await shelf(page, "archive", "/archive")


async def trash(page: Page) -> None:
    await shelf(page, "delete", "/trash")


async def folders(page: Page) -> None:
    await page.context.request.post("/folders", form={"name": "Sea", "csrfmiddlewaretoken": CSRF}, headers={"X-CSRFToken": CSRF})
    await page.goto("/folders")


async def options(page: Page) -> None:
    await finished(page, "hello /rate 500")
    await page.goto(f"{page.url.partition('#')[0]}/options")


async def forged(page: Page) -> None:
    await page.goto("/")
    await page.evaluate("document.querySelectorAll('[name=csrfmiddlewaretoken]').forEach(e => e.value = 'x'.repeat(64))")
    await page.get_by_role("textbox", name="Message").fill("hello")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("open too long")


async def signed_out(page: Page) -> None:
    await page.goto("/")
    await page.context.clear_cookies(name="sessionid")
    await page.get_by_role("textbox", name="Message").fill("hello")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("signed out")


async def refused(page: Page) -> None:
    await page.goto("/")
    await page.locator("#message").evaluate("e => { e.required = false; e.form.noValidate = true }")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("alert")).to_contain_text("Write a message first.")


async def deleted(page: Page) -> None:
    await conversation_menu(page)
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("button", name="Undo")).to_be_visible()


async def shared(page: Page) -> str:
    """The path of a link to every kind of Markdown."""
    await finished(page, "/markdown /think /rate 5000")
    await page.goto(f"{page.url.partition('?')[0].partition('#')[0]}/share")
    await page.get_by_role("button", name="Make a link").click()
    return await page.locator(".share code").first.inner_text()


async def reading(page: Page) -> None:
    await page.goto(await shared(page))


async def imported(page: Page) -> None:
    await page.goto("/data")
    await page.get_by_label("File to import").set_input_files({"name": "a.json", "mimeType": "application/json", "buffer": b"[{}]"})
    await page.get_by_role("button", name="Import", exact=True).click()
    await expect(page.get_by_text("Imported.")).to_be_visible()


async def branches(page: Page) -> None:
    await finished(page, "hello /rate 500")
    await answer(page).get_by_role("button", name="Retry").click()
    await expect(page.get_by_role("navigation", name="Answer 2 of 2")).to_be_visible()
    await becomes(page, "complete")
    await page.locator(".prompt").hover()
    await page.get_by_role("link", name="Edit hello").click()
    await expect(page.get_by_role("textbox", name="Edit your message")).to_be_focused()
    await answer(page).get_by_role("button", name="More").click()
    await expect(answer(page).locator(".menu")).to_be_visible()


async def compared(page: Page) -> None:
    await finished(page, "hello /rate 500")
    await answer(page).get_by_role("button", name="More").click()
    await answer(page).get_by_text("Compare two models").click()
    await page.get_by_label("and compare with").select_option(label="Echo (demo)")
    await page.get_by_role("button", name="Answer again").click()
    await expect(page.locator('.is-compared[data-status="complete"]')).to_have_count(2)


async def edit_page(page: Page) -> None:
    await finished(page, "hello /rate 500")
    path = await page.get_by_role("link", name="Edit hello").get_attribute("href")
    await page.goto(str(path))


async def panel(page: Page) -> None:
    await finished(page, "hello /rate 500")
    await page.get_by_role("link", name="System prompt and parameters").click()
    await page.get_by_label("Temperature").fill("9")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#panel .errorlist")).to_be_visible()


async def panel_of_a_new_chat(page: Page) -> None:
    await page.goto("/")
    await page.get_by_role("button", name="System prompt and parameters").click()
    await page.get_by_label("System prompt", exact=True).select_option("own")


async def saved_prompts(page: Page) -> None:
    await page.goto("/prompts")
    if await page.get_by_role("link", name="Use /axe").count():
        return
    await page.get_by_label("Command", exact=True).fill("axe")
    await page.get_by_label("Prompt", exact=True).fill("Fell {{a tree}}, and say nothing about it. " * 5)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("link", name="Use /axe")).to_be_visible()


async def use_of_a_prompt(page: Page) -> None:
    await saved_prompts(page)
    await page.get_by_role("link", name="Use /axe").click()


async def offers(page: Page) -> None:
    await saved_prompts(page)
    await page.goto("/")
    await page.get_by_role("textbox", name="Message").press_sequentially("/a")
    await expect(page.get_by_role("listbox", name="Saved prompts")).to_be_visible()


async def variables(page: Page) -> None:
    await offers(page)
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("a tree")).to_be_focused()


def at(path: str) -> Callable[[Page], Awaitable[object]]:
    return lambda page: page.goto(path)


async def used(page: Page) -> None:
    """Something of this month is on the page, and something of a budget."""
    await finished(page, "hello /rate 5000")
    await page.goto("/usage")
    await expect(page.get_by_role("table")).to_be_visible()


def with_answer(prompt: str, status: str = "complete") -> Callable[[Page], Awaitable[object]]:
    return lambda page: finished(page, prompt, status)


PAGES: dict[str, tuple[str, Callable[[Page], Awaitable[object]]]] = {
    "login": ("", at("/accounts/login/")),
    "password reset": ("", at("/accounts/password/reset/")),
    "password reset sent": ("", at("/accounts/password/reset/done/")),
    "password reset with a wrong key": ("", at("/accounts/password/reset/key/1-wrong/")),
    "password reset done": ("", at("/accounts/password/reset/key/done/")),
    "sign-up closed": ("", at("/accounts/signup/")),
    "account inactive": ("", at("/accounts/inactive/")),
    "logout": ("alice", at("/accounts/logout/")),
    "password change": ("alice", at("/accounts/password/change/")),
    "email": ("alice", at("/accounts/email/")),
    "new chat": ("alice", at("/")),
    "search": ("alice", at("/search")),
    "search results": ("alice", found),
    "every kind of Markdown": ("alice", with_answer("/markdown /think /rate 5000")),
    "long code": ("alice", with_answer("/code 300 /rate 20000")),
    "thinking": ("alice", thinking),
    "streaming": ("alice", streaming),
    "stopped": ("alice", stopped),
    "failed": ("alice", with_answer("/fail rate_limited middle /rate 500", "failed")),
    "menus": ("alice", menus),
    "conversation menu": ("alice", conversation_menu),
    "branches": ("alice", branches),
    "compared": ("alice", compared),
    "page to edit a prompt": ("alice", edit_page),
    "selecting": ("alice", selecting),
    "temporary": ("alice", temporary),
    "archive": ("alice", archive),
    "trash": ("alice", trash),
    "emptying the trash": ("alice", at("/trash/empty")),
    "folders": ("alice", folders),
    "options": ("alice", options),
    "refused": ("alice", refused),
    "deleted": ("alice", deleted),
    "panel": ("alice", panel),
    "panel of a new chat": ("alice", panel_of_a_new_chat),
    "settings": ("alice", at("/settings")),
    "API tokens": ("alice", at("/settings/tokens")),
    "your data": ("alice", at("/data")),
    "usage": ("alice", used),
    "import": ("alice", imported),
    "share": ("alice", shared),
    "shared links": ("alice", at("/shares")),
    "what is shared": ("alice", reading),
    "saved prompts": ("alice", saved_prompts),
    "use of a prompt": ("alice", use_of_a_prompt),
    "saved prompts offered": ("alice", offers),
    "variables": ("alice", variables),
    "404": ("alice", at("/conversations/999999999")),
    "403": ("erin", at("/admin/conversations/provider/")),
    "csrf failure": ("alice", forged),
    "signed out": ("alice", signed_out),
}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
async def test_no_page_breaks_a_rule(visits: Visits, name: str, width: int) -> None:
    visits.expect(r"status of (401|403|404|422)")
    who, go = PAGES[name]
    page = await visits.open(who, viewport={"width": width, "height": 800}, reduced_motion="reduce")
    await go(page)
    assert await axe.violations_light_and_dark(page) == []
    if await stop(page).count():
        await stop(page).click()


async def test_the_empty_state_without_models(visits: Visits, bare_site: Site) -> None:
    visits.site = bare_site
    for who, advice in (("alice", "Ask the people who run this site"), ("carol", "Add a provider and a model in the admin.")):
        page = await visits.open(who)
        await page.goto("/")
        await expect(page.get_by_text(advice)).to_be_visible()
        await expect(page.get_by_role("button", name="Send")).to_be_disabled()
        assert await axe.violations(page) == []

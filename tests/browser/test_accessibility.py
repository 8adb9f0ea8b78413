"""No page of ours breaks a rule of axe or of the Content-Security-Policy, light or dark, on a screen or a phone.

The pages of the admin are walked in test_admin_accessibility.py.
"""

import hashlib
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from . import axe
from .chat import ask, becomes, grows, stop
from .site import Site
from .visits import Visits

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

WIDTHS = (1200, 390, 320)


async def test_axe_is_the_file_that_was_vendored() -> None:
    assert hashlib.sha256(axe.FILE.read_bytes()).hexdigest() == axe.SHA256


async def finished(page: Page, prompt: str, status: str = "complete") -> None:
    await ask(page, prompt)
    await becomes(page, status)


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


def at(path: str) -> Callable[[Page], Awaitable[object]]:
    return lambda page: page.goto(path)


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
    "every kind of Markdown": ("alice", with_answer("/markdown /think /rate 5000")),
    "long code": ("alice", with_answer("/code 300 /rate 20000")),
    "thinking": ("alice", thinking),
    "streaming": ("alice", streaming),
    "stopped": ("alice", stopped),
    "failed": ("alice", with_answer("/fail rate_limited middle /rate 500", "failed")),
    "menus": ("alice", menus),
    "conversation menu": ("alice", conversation_menu),
    "refused": ("alice", refused),
    "deleted": ("alice", deleted),
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

"""The button that tests a connection: nothing that was typed is lost by it, with a script and without."""

import pytest
from django.urls import reverse
from playwright.async_api import Page, expect

from . import axe
from .visits import Visits

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
BUTTON = "Test the connection"


async def with_edits(page: Page) -> None:
    """Open the page of the demo and type into it."""
    await page.goto(reverse("admin:conversations_provider_changelist"))
    await page.get_by_role("link", name="Demo (echo)").click()
    await page.get_by_label("Name:").fill("Renamed")
    await page.get_by_label("API key:", exact=True).fill("sk-typed")


async def test_a_test_shows_what_it_found_beside_the_button_and_keeps_the_key_in_its_field(visits: Visits) -> None:
    page = await visits.open("carol")
    await with_edits(page)
    await page.get_by_role("button", name=BUTTON).click()
    result = page.locator(".connection-test-result")
    await expect(result.locator("li")).to_have_count(2)
    await expect(result).to_contain_text("Renamed: Reached in")
    await expect(result).to_contain_text("Your changes are not saved yet.")
    await expect(page.get_by_label("Name:")).to_have_value("Renamed")
    await expect(page.get_by_label("API key:", exact=True)).to_have_value("sk-typed")
    await expect(page.get_by_role("button", name=BUTTON)).to_be_enabled()
    assert await axe.violations_light_and_dark(page, "tested") == []


async def test_a_form_with_a_fault_comes_back_with_what_is_wrong(visits: Visits) -> None:
    page = await visits.open("carol")
    await with_edits(page)
    await page.get_by_label("Slug:").fill("")
    await page.get_by_role("button", name=BUTTON).click()
    await expect(page.locator(".errornote")).to_be_visible()
    await expect(page.locator(".messagelist")).to_contain_text("Not tested, and not saved")
    await expect(page.get_by_label("Name:")).to_have_value("Renamed")
    assert await axe.violations_light_and_dark(page, "not tested") == []


async def test_without_a_script_the_page_comes_back_with_the_edits_and_says_that_the_key_is_not_in_it(visits: Visits) -> None:
    page = await visits.open("carol", java_script_enabled=False)
    await with_edits(page)
    await page.get_by_role("button", name=BUTTON).click()
    await expect(page.locator(".messagelist")).to_contain_text("give it again before you save")
    await expect(page.get_by_label("Name:")).to_have_value("Renamed")
    await expect(page.get_by_label("API key:", exact=True)).to_have_value("")


async def test_enter_in_a_field_saves_as_on_every_other_page(visits: Visits) -> None:
    page = await visits.open("carol")
    await page.goto(reverse("admin:conversations_provider_add"))
    await page.get_by_label("Name:").fill("By Enter")
    await page.get_by_label("Base URL:").fill("http://127.0.0.1:9/v1")
    await page.get_by_label("Slug:").fill("by-enter")
    await page.get_by_label("Slug:").press("Enter")
    await expect(page.locator(".messagelist")).to_contain_text("was added successfully")

"""No page of the admin breaks a rule of axe or of the Content-Security-Policy, light or dark.

The pages are found from the registry and walked as a superuser, so a new model or a new page of one is held to it without being named.
"""

import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.urls import URLPattern, reverse
from playwright.async_api import Page, expect

from . import axe
from .conftest import running
from .site import ROOT, Site
from .visits import Visits
from .wire import Provider

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MODELS = {model._meta.label_lower: model for model in admin.site._registry}
APPS = sorted({model._meta.app_label for model in MODELS.values()})
NO_PAGES = {"login", "logout", "autocomplete", "jsi18n"}  # visited on their own, or no HTML


@pytest.fixture(scope="session")
def full_site(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a row of all that the admin shows."""
    for site in running(tmp_path_factory.mktemp("full"), provider, LOCAL_MODEL="off"):
        subprocess.run([sys.executable, "-m", "tests.browser.rows"], cwd=ROOT, env=site.environment, check=True)
        yield site


@pytest.fixture
def walk(visits: Visits, full_site: Site) -> Visits:
    visits.site = full_site
    return visits


async def opens(page: Page, url: str) -> bool:
    """Go there; tell whether it is a page for a superuser, who may neither add to the record nor delete from it."""
    response = await page.goto(url)
    assert response is not None
    assert response.status in {200, 403}, url
    assert response.status == 200 or url.endswith(("/add/", "/delete/")), url
    return response.status == 200


def named(urls: list[Any]) -> dict[str, int]:
    """The names of the addresses, each with how many arguments it takes."""
    return {url.name: url.pattern.regex.groups for url in urls if isinstance(url, URLPattern) and url.name}


def list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def pages_of(model: type[Model], pk: str) -> list[str]:
    """The pages of one row, and those of the model beside its list."""
    names = named(admin.site.get_model_admin(model).get_urls())
    urls = [reverse(f"admin:{name}", args=[pk][:count]) for name, count in names.items()]
    return [url for url in urls if url != list_of(model)]


async def states_of_the_list(page: Page, model: type[Model]) -> AsyncIterator[str]:
    """The list with rows and without, searched, sorted, as a window of its own, and filtered."""
    for query in ("?pk=0", "?q=nothing-is-called-this", "?q=e&o=1.2&_popup=1", ""):
        assert await opens(page, list_of(model) + query)
        assert await page.locator("#result_list").count() == (0 if query == "?pk=0" else 1) or "?q=" in query
        yield query or "all rows"
    if links := await page.locator("#changelist-filter li:not(.selected) a").evaluate_all("all => all.map(link => link.href)"):
        assert await opens(page, links[0])
        yield "filtered"


async def first_row(page: Page, model: type[Model]) -> str:
    await page.goto(list_of(model))
    link = await page.locator("#result_list tbody th a").first.get_attribute("href")
    found = re.search(r"/([^/]+)/change/", link or "")
    assert found, link
    return found[1]


@pytest.mark.parametrize("label", MODELS)
async def test_no_list_breaks_a_rule(walk: Visits, label: str) -> None:
    page = await walk.open("carol")
    found = [fault async for state in states_of_the_list(page, MODELS[label]) for fault in await axe.violations_light_and_dark(page, state)]
    assert found == []


def deletes(model: type[Model]) -> bool:
    return admin.site.get_model_admin(model).has_delete_permission.__func__ is admin.ModelAdmin.has_delete_permission


@pytest.mark.parametrize("label", [label for label, model in MODELS.items() if deletes(model)])
async def test_no_question_before_deleting_breaks_a_rule(walk: Visits, label: str) -> None:
    page = await walk.open("carol")
    await page.goto(list_of(MODELS[label]))
    await page.get_by_role("checkbox", name="Select all objects").check()
    await page.locator("select[name=action]").select_option("delete_selected")
    await page.get_by_role("button", name="Run").click()
    await expect(page.locator("body.delete-selected-confirmation")).to_be_visible()
    assert await axe.violations_light_and_dark(page, label) == []


@pytest.mark.parametrize("label", MODELS)
async def test_no_page_of_a_row_breaks_a_rule(walk: Visits, label: str) -> None:
    walk.expect("status of 403")
    page = await walk.open("carol")
    found = []
    for url in pages_of(MODELS[label], await first_row(page, MODELS[label])):
        if await opens(page, url):
            found += await axe.violations_light_and_dark(page, url)
    assert found == []


@pytest.mark.parametrize("label", [label for label, model in MODELS.items() if deletes(model)])
async def test_no_form_that_is_refused_breaks_a_rule(walk: Visits, label: str) -> None:
    """As the window that a field of another form opens."""
    page = await walk.open("carol")
    opts = MODELS[label]._meta
    await page.goto(reverse(f"admin:{opts.app_label}_{opts.model_name}_add") + "?_popup=1")
    await page.locator("[name=_save]").click()
    await expect(page.locator(".errornote")).to_be_visible()
    assert await axe.violations_light_and_dark(page, label) == []


OF_THE_WHOLE = [reverse(f"admin:{name}") for name, count in named(admin.site.get_urls()).items() if not count and name not in NO_PAGES]
OF_AN_APP = [reverse("admin:app_list", args=[app]) for app in APPS]


@pytest.mark.parametrize("url", [*OF_THE_WHOLE, *OF_AN_APP])
async def test_no_page_of_the_whole_admin_breaks_a_rule(walk: Visits, url: str) -> None:
    page = await walk.open("carol")
    assert await opens(page, url)
    assert await axe.violations_light_and_dark(page, url) == []


async def test_logging_in_breaks_no_rule(walk: Visits) -> None:
    page = await walk.open("")
    await page.goto(reverse("admin:login"))
    found = await axe.violations_light_and_dark(page, "login")
    await page.get_by_label("Username").fill("nobody")
    await page.get_by_label("Password").fill("wrong")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.locator(".errornote")).to_be_visible()
    assert found + await axe.violations_light_and_dark(page, "login refused") == []


async def test_being_nobody_here_breaks_no_rule(walk: Visits) -> None:
    page = await walk.open("dora")
    await page.goto(reverse("admin:login"))
    await expect(page.locator(".errornote")).to_contain_text("not authorized")
    assert await axe.violations_light_and_dark(page, "login as somebody else") == []


async def test_logging_out_breaks_no_rule(walk: Visits) -> None:
    page = await walk.open("erin")
    await page.goto(reverse("admin:index"))
    found = await axe.violations_light_and_dark(page, "index of somebody without permissions")
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("link", name="Log in again")).to_be_visible()
    assert found + await axe.violations_light_and_dark(page, "logged out") == []


PAPER = "getComputedStyle(document.body).backgroundColor"


@pytest.mark.parametrize("name", ["index", "conversations_languagemodel_changelist", "conversations_provider_add", "password_change"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_theme_that_is_picked_on_the_site_is_that_of_the_admin_and_breaks_no_rule(walk: Visits, name: str, theme: str) -> None:
    """Whatever the system's own is: the page is of one colour in both."""
    page = await walk.open("carol")
    await page.context.add_cookies([{"name": "theme", "value": theme, "url": walk.site.url}])
    papers = set()
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        await page.goto(reverse(f"admin:{name}"))
        papers.add(await page.evaluate(PAPER))
        assert await axe.violations(page) == [], scheme
    assert len(papers) == 1
    assert (papers == {"rgb(255, 255, 255)"}) == (theme == "light")


async def test_a_theme_picked_in_the_account_menu_reaches_the_admin(walk: Visits) -> None:
    page = await walk.open("carol", color_scheme="light", java_script_enabled=False)
    await page.goto("/")
    await page.locator(".account summary").click()
    await page.get_by_role("button", name="Dark").click()
    await page.goto(reverse("admin:index"))
    await expect(page.locator("body")).to_have_class(re.compile("theme-dark"))
    await expect(page.locator("html")).to_have_css("color-scheme", "dark")


@pytest.mark.parametrize("name", ["index", "conversations_languagemodel_changelist", "conversations_provider_add", "auth_group_add"])
async def test_no_page_on_a_phone_breaks_a_rule_or_is_wider_than_it(walk: Visits, name: str) -> None:
    page = await walk.open("carol", viewport={"width": 390, "height": 844})
    await page.goto(reverse(f"admin:{name}"))
    assert await axe.violations_light_and_dark(page, name) == []
    assert await page.evaluate("document.documentElement.scrollWidth") == 390

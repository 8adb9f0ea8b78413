"""The stories of a tool: it runs before one's eyes, and asks first; nothing of it is lost on the way."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from .axe import violations_light_and_dark
from .chat import answer, ask, becomes, follows, log, reloaded_log, stop
from .conftest import running
from .site import Site
from .visits import Visits
from .wire import Provider

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SUM = '/tool calculator {"expression":"6*7"} /rate 400'
RECORD = """
() => {
  window.said = [];
  const look = () => {
    const said = document.querySelector("#sr").textContent;
    if (said && said !== window.said.at(-1)) window.said.push(said);
  };
  new MutationObserver(look).observe(document.querySelector("#sr"), { subtree: true, childList: true, characterData: true });
}
"""


@pytest.fixture(scope="module")
def careful_site(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose calculator asks first."""
    settings = {"TOOLS_NEED_APPROVAL": "calculator", "LEASE_SECONDS": "7", "HEARTBEAT_SECONDS": "1"}
    yield from running(tmp_path_factory.mktemp("careful"), provider, LOCAL_MODEL="off", **settings)


@pytest_asyncio.fixture(loop_scope="session")
async def careful(browser: Browser, careful_site: Site) -> AsyncIterator[Visits]:
    visits = Visits(browser, careful_site)
    yield visits
    await visits.close()


async def waits(page: Page) -> None:
    await expect(answer(page).get_by_role("button", name="Approve calculator")).to_be_visible()
    await expect(answer(page).locator("summary").filter(has_text="calculator")).to_contain_text("waits for you")


async def test_a_tool_runs_and_its_result_is_folded(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "/tool current_time /rounds 2 /rate 400")
    await becomes(page, "complete")
    calls = answer(page).locator(".call")
    await expect(calls).to_have_count(2)
    await expect(calls.first.locator("summary")).to_contain_text("current_time done")
    await expect(calls.first.locator("pre")).to_be_hidden()
    await calls.first.locator("summary").click()
    await expect(calls.first.locator("pre")).to_contain_text(":")
    assert not await violations_light_and_dark(page, "a call with its result")
    await calls.first.locator("summary").click()
    assert await log(page) == await reloaded_log(page)


async def test_approval_is_asked_for_once_and_survives_a_reload_and_a_killed_server(careful: Visits, careful_site: Site) -> None:
    page = await careful.open()
    await ask(page, f"{SUM} /delay 1.5")
    await page.evaluate(RECORD)
    await waits(page)
    await expect(answer(page).locator(".call")).to_contain_text("expression: 6*7")
    assert not await violations_light_and_dark(page, "a call that waits")
    said = await page.evaluate("window.said")
    assert said.count("The model wants to use the tool calculator. Approve or decline it.") == 1
    await page.reload()
    await waits(page)
    url = page.url
    await page.goto("about:blank")
    careful_site.kill()
    careful_site.start()
    await page.goto(url)
    await waits(page)
    await answer(page).get_by_role("button", name="Approve calculator").click()
    await becomes(page, "complete")
    await expect(answer(page).locator("summary").filter(has_text="calculator")).to_contain_text("done")
    await expect(answer(page)).to_contain_text("42")
    await expect(answer(page).get_by_role("button", name="Approve")).to_have_count(0)
    assert await log(page) == await reloaded_log(page)


async def test_another_tab_declines_and_the_answer_goes_on(careful: Visits) -> None:
    page, other = await careful.open(), await careful.open()
    await ask(page, SUM)
    await follows(page)
    await waits(page)
    await other.goto(page.url)
    await waits(other)
    await answer(other).get_by_role("button", name="Decline calculator").click()
    await becomes(page, "complete")
    await expect(answer(page).locator("summary").filter(has_text="calculator")).to_contain_text("declined")


async def test_without_script_a_form_approves(careful: Visits) -> None:
    page = await careful.open("dora", java_script_enabled=False)
    await ask(page, SUM)
    await waits(page)
    await answer(page).get_by_role("button", name="Approve calculator").click()
    await becomes(page, "complete")
    await expect(answer(page)).to_contain_text("42")


async def test_stop_ends_an_answer_that_waits(careful: Visits) -> None:
    page = await careful.open()
    await ask(page, SUM)
    await waits(page)
    await stop(page).click()
    await becomes(page, "stopped")
    await expect(answer(page).locator("summary").filter(has_text="calculator")).to_contain_text("did not finish")
    await expect(answer(page).get_by_role("button", name="Approve")).to_have_count(0)
    assert await log(page) == await reloaded_log(page)

"""The stories of a bad network: what a page does by itself when its stream breaks, and that the text is whole afterwards.

The answers are dictated, so that each is still being written when its network breaks, however slow the machine.
"""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from playwright.async_api import Locator, Page, Route, expect

from .chat import answer, ask, becomes, begin, dictate, follows, grows, log, message, reloaded_log, send, shows, source, text
from .site import Site
from .visits import Visits
from .wire import Network, Provider

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LOST = "The connection is lost."
NETWORK_ERRORS = (
    r"^WebSocket connection to",
    r"net::ERR_",
    r"status of 50\d",
    r"SSE reconnect failed",
    r"Failed to fetch",
    r"network error",
    r"^TypeError",
    r"^htmx: ",
)
LONGEST_PAUSE = 120_000  # milliseconds: above what a page waits between two tries when a start took long
LONG = 60_000  # milliseconds of the page's clock, in which a page that wanted to reconnect would have


def banner(page: Page) -> Locator:
    return page.get_by_role("alert").filter(has_text=LOST)


def paragraph(number: int) -> str:
    return f"Paragraph {number} ends here.\n\n"


async def assert_whole(page: Page, number: int) -> None:
    await becomes(page, "complete")
    await expect(banner(page)).to_be_hidden()
    assert (await source(page, number)).count("Paragraph") == (await text(page).inner_text()).count("Paragraph") > 0
    assert await log(page) == await reloaded_log(page)


async def tries(visits: Visits, page: Page, number: int) -> int:
    """Count the requests for the stream that the page has begun until now: a request of ours is told after them."""
    async with page.expect_request("**/chat.js?now"):
        await page.evaluate("fetch('/static/js/chat.js?now').then(reply => reply.ok).catch(() => false)")
    return sum(f"/messages/{number}/events" in request.url for request in visits.requests)


async def stop_clock(visits: Visits, page: Page) -> None:
    """Stop the page's clock, so that nothing more is tried by itself, and wait for the tries that are under way."""
    await page.clock.pause_at(await page.evaluate("Date.now() + 1000"))
    for request in list(visits.requests):
        await request.response()
    await page.evaluate("0")


@contextmanager
def database_in_other_hands(site: Site) -> Iterator[None]:
    """Somebody holds SQLite's only write lock."""
    with closing(sqlite3.connect(site.database, isolation_level=None, timeout=30)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


async def test_an_answer_that_waits_for_the_database_says_so_until_it_goes_on(visits: Visits, site: Site, provider: Provider) -> None:
    page = await visits.open()
    number = await dictate(page, provider, paragraph(1))
    await shows(page, "Paragraph 1")
    waits = answer(page).get_by_role("status")
    await expect(waits).to_be_empty()
    with database_in_other_hands(site):
        provider.add(paragraph(2))
        await expect(waits).to_have_text("The database cannot be used just now. The answer waits, and goes on by itself.")
        await expect(text(page)).not_to_contain_text("Paragraph 2")
        await expect(banner(page)).to_be_hidden()
    await shows(page, "Paragraph 2")
    await expect(waits).to_be_empty()
    provider.end()
    await assert_whole(page, number)


async def test_ten_seconds_without_network_cost_no_text_and_no_reload(visits: Visits, network: Network, provider: Provider) -> None:
    visits.expect(*NETWORK_ERRORS)
    page = await visits.open(base_url=network.url)
    number = await dictate(page, provider, paragraph(1), paragraph(2))
    await page.evaluate("window.isSamePage = true")
    await shows(page, "Paragraph 2")
    network.cut()
    await expect(banner(page)).to_be_visible()
    provider.add(paragraph(3))
    await asyncio.sleep(10)  # the length of the outage is the claim
    network.mend()
    await shows(page, "Paragraph 3")
    await expect(banner(page)).to_be_hidden()
    provider.add(paragraph(4))
    await shows(page, "Paragraph 4")
    provider.end()
    await becomes(page, "complete")
    assert await page.evaluate("window.isSamePage")
    await assert_whole(page, number)


async def test_a_bad_gateway_in_between_doubles_no_text(visits: Visits, network: Network, provider: Provider) -> None:
    visits.expect(*NETWORK_ERRORS)
    page = await visits.open(base_url=network.url)
    number = await dictate(page, provider, paragraph(1), "Paragraph 2 begins")
    await shows(page, "Paragraph 2 begins")
    network.cut()
    await network.refuses()
    provider.add(" and ends.\n\n")
    network.spoil()
    await network.refuses()
    network.mend()
    await shows(page, "Paragraph 2 begins and ends.")
    provider.end()
    await assert_whole(page, number)


async def test_an_answer_that_ends_during_the_outage_is_there_afterwards(visits: Visits, network: Network, provider: Provider) -> None:
    visits.expect(*NETWORK_ERRORS)
    page, near = await visits.open(base_url=network.url), await visits.open()
    number = await dictate(page, provider, paragraph(1))
    await shows(page, "Paragraph 1")
    network.cut()
    await near.goto(page.url.replace(network.url, visits.site.url))
    provider.add(paragraph(2))
    provider.end()
    await becomes(near, "complete")
    await becomes(page, "running")
    network.mend()
    await shows(page, "Paragraph 2")
    await assert_whole(page, number)


async def test_the_first_connect_is_tried_again(visits: Visits, network: Network, provider: Provider) -> None:
    visits.expect(*NETWORK_ERRORS)
    page = await visits.open(base_url=network.url)
    refusals = 0

    async def refuse(route: Route) -> None:
        nonlocal refusals
        refusals += 1
        await (route.fulfill(status=503, body="busy") if refusals < 4 else route.continue_())

    provider.say(pauses=True)
    number, url = await begin(page, "Say what is dictated.", model="Wire")
    await page.route("**/events?*", refuse)
    await page.goto(url)
    provider.add(paragraph(1))
    await shows(page, "Paragraph 1")
    provider.end()
    await assert_whole(page, number)
    assert refusals == 4


async def test_reconnect_now_does_not_wait_for_the_next_try(visits: Visits, network: Network, provider: Provider) -> None:
    visits.expect(*NETWORK_ERRORS)
    page = await visits.open(base_url=network.url)
    await page.clock.install()
    number = await dictate(page, provider, paragraph(1))
    network.cut()
    await expect(banner(page)).to_be_visible()
    await stop_clock(visits, page)
    network.mend()
    before = await tries(visits, page, number)
    await expect(banner(page)).to_be_visible()
    await page.get_by_role("button", name="Reconnect now").click()
    await expect(banner(page)).to_be_hidden()
    assert await tries(visits, page, number) == before + 1
    await page.clock.resume()
    provider.add(paragraph(2))
    await shows(page, "Paragraph 2")
    provider.end()
    await assert_whole(page, number)


async def test_reconnect_now_does_not_wait_for_the_next_try_of_a_first_connect(visits: Visits, provider: Provider) -> None:
    visits.expect(*NETWORK_ERRORS)
    page = await visits.open()
    await page.clock.install()
    provider.say(paragraph(1), pauses=True)
    number, url = await begin(page, "Say what is dictated.", model="Wire")
    await page.route("**/events?*", lambda route: route.fulfill(status=503, body="busy"))
    await page.goto(url)
    await expect(banner(page)).to_be_visible()
    await stop_clock(visits, page)
    await page.unroute_all()
    before = await tries(visits, page, number)
    await expect(banner(page)).to_be_visible()
    await page.get_by_role("button", name="Reconnect now").click()
    await expect(banner(page)).to_be_hidden()
    assert await tries(visits, page, number) == before + 1
    await page.clock.resume()
    provider.end()
    await assert_whole(page, number)


async def test_a_message_sent_without_network_stays_in_the_composer(visits: Visits, network: Network) -> None:
    visits.expect(*NETWORK_ERRORS)
    page = await visits.open(base_url=network.url)
    await ask(page, "hello /rate 400")
    await becomes(page, "complete")
    network.cut()
    await send(page, "do not lose me")
    await expect(page.locator("#sr")).to_contain_text("The server cannot be reached.")
    await expect(message(page)).to_have_value("do not lose me")
    network.mend()
    await message(page).press("Enter")
    await expect(page.locator(".prompt")).to_have_count(2)
    await expect(message(page)).to_have_value("")


async def test_done_closes_the_stream_for_good(visits: Visits, provider: Provider) -> None:
    page = await visits.open()
    await page.clock.install()
    number = await dictate(page, provider, "Hello")
    provider.end()
    await becomes(page, "complete")
    await page.clock.run_for(LONG)
    assert await tries(visits, page, number) == 1


async def test_thirty_loads_of_a_live_answer_open_its_stream_once_each(visits: Visits, provider: Provider) -> None:
    page = await visits.open()
    number = await dictate(page, provider, "Hello")
    for load in range(1, 31):
        assert await tries(visits, page, number) == load
        await page.reload()
        await follows(page)
    provider.end()
    await becomes(page, "complete")


async def test_a_hidden_tab_lets_go_of_its_stream_and_catches_up(visits: Visits, provider: Provider) -> None:
    page, near = await visits.open(), await visits.open()
    await page.clock.install()
    number = await dictate(page, provider, paragraph(1))
    await near.goto(page.url)
    async with page.expect_event("requestfailed", lambda request: f"/messages/{number}/events" in request.url):
        await set_hidden(page, True)
    provider.add(paragraph(2))
    await shows(near, "Paragraph 2")
    await page.clock.run_for(LONG)
    assert await tries(visits, page, number) == 2  # one of each tab
    assert "Paragraph 2" not in await text(page).inner_text()
    await set_hidden(page, False)
    await shows(page, "Paragraph 2")
    provider.end()
    await assert_whole(page, number)


async def set_hidden(page: Page, is_hidden: bool) -> None:
    await page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
            Object.defineProperty(document, "visibilityState", { configurable: true, get: () => hidden ? "hidden" : "visible" });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )


async def test_back_and_forward_double_no_text(visits: Visits, provider: Provider) -> None:
    page = await visits.open()
    number = await dictate(page, provider, paragraph(1), "Paragraph 2 begins")
    await shows(page, "Paragraph 2 begins")
    await page.goto("/")
    await page.go_back()
    await follows(page)
    provider.add(" and ends.\n\n")
    await shows(page, "Paragraph 2 begins and ends.")
    await page.go_forward()
    await page.go_back()
    await follows(page)
    provider.add(paragraph(3))
    provider.end()
    await assert_whole(page, number)


async def test_a_lost_session_stops_the_stream_and_says_so(visits: Visits, network: Network, provider: Provider) -> None:
    visits.expect(*NETWORK_ERRORS, r"status of 401")
    page = await visits.open(base_url=network.url)
    await page.clock.install()
    number = await dictate(page, provider, paragraph(1))
    await page.context.clear_cookies(name="sessionid")
    network.cut()
    await network.refuses()
    network.mend()
    await expect(page.locator("#sr")).to_contain_text("You are logged out.")
    await page.clock.run_for(LONG)
    asked = await tries(visits, page, number)
    await page.clock.run_for(LONG)
    assert await tries(visits, page, number) == asked


@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "stopped"])
async def test_a_server_that_is_restarted_in_mid_answer_loses_nothing_that_was_seen(
    visits: Visits, restartable: Site, is_killed: bool
) -> None:
    visits.expect(*NETWORK_ERRORS)
    visits.site = restartable
    page = await visits.open()
    await ask(page, "/long 300 /rate 60")
    await grows(page, 300)
    await asyncio.to_thread(restartable.kill if is_killed else restartable.stop)
    seen = await text(page).inner_text()
    await asyncio.to_thread(restartable.start)
    await becomes(page, "interrupted", patience=LONGEST_PAUSE)
    assert (await text(page).inner_text()).startswith(seen[:-1])
    await expect(answer(page).get_by_role("button", name="Retry")).to_be_visible()
    assert await log(page) == await reloaded_log(page)


async def test_an_answer_may_end_before_a_slow_script_has_come(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "hello /rate 20")
    await follows(page)

    async def late(route: Route) -> None:
        while 'data-status="complete"' not in await (await page.context.request.get(page.url)).text():
            await asyncio.sleep(0.1)
        await route.continue_()

    await page.route("**/streams*.js", late)
    await page.reload()
    await becomes(page, "complete")

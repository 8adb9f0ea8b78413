"""The stories of a bad network: what a page does by itself when its stream breaks, and that the text is whole afterwards."""

import asyncio

import pytest
from playwright.async_api import Locator, Page, Route, expect

from .chat import answer, ask, becomes, begin, grows, log, message, reloaded_log, send, source, stop, text
from .site import Site
from .visits import Visits
from .wire import Network

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LOST = "The connection is lost."
NETWORK_ERRORS = (r"net::ERR_", r"status of 50\d", r"SSE reconnect failed", r"Failed to fetch", r"network error", r"^TypeError", r"^htmx: ")


def banner(page: Page) -> Locator:
    return page.get_by_role("alert").filter(has_text=LOST)


async def assert_whole(page: Page, number: int) -> None:
    await becomes(page, "complete")
    await expect(banner(page)).to_be_hidden()
    assert (await source(page, number)).count("Paragraph") == (await text(page).inner_text()).count("Paragraph")
    assert await log(page) == await reloaded_log(page)


async def test_ten_seconds_without_network_cost_no_text_and_no_reload(visits: Visits, network: Network) -> None:
    visits.expect(*NETWORK_ERRORS)
    page = await visits.open(base_url=network.url)
    number = await ask(page, "/long 12 /rate 40")
    await page.evaluate("window.isSamePage = true")
    await grows(page, 100)
    network.cut()
    await expect(banner(page)).to_be_visible()
    await asyncio.sleep(10)  # the length of the outage is the claim
    network.mend()
    await expect(banner(page)).to_be_hidden()
    await becomes(page, "complete")
    assert await page.evaluate("window.isSamePage")
    await assert_whole(page, number)


async def test_a_bad_gateway_in_between_doubles_no_text(visits: Visits, network: Network) -> None:
    visits.expect(*NETWORK_ERRORS)
    page = await visits.open(base_url=network.url)
    number = await ask(page, "/long 8 /rate 60")
    await grows(page, 100)
    network.cut()
    await network.refused.wait()
    network.spoil()
    await network.refused.wait()
    network.mend()
    await assert_whole(page, number)


async def test_an_answer_that_ends_during_the_outage_is_there_afterwards(visits: Visits, network: Network) -> None:
    visits.expect(*NETWORK_ERRORS)
    page, near = await visits.open(base_url=network.url), await visits.open()
    number = await ask(page, "/long 4 /rate 100")
    await grows(page, 50)
    network.cut()
    await near.goto(page.url.replace(network.url, visits.site.url))
    await becomes(near, "complete")
    network.mend()
    await assert_whole(page, number)


async def test_the_first_connect_is_tried_again(visits: Visits, network: Network) -> None:
    visits.expect(*NETWORK_ERRORS)
    page = await visits.open(base_url=network.url)
    refusals = 0

    async def refuse(route: Route) -> None:
        nonlocal refusals
        refusals += 1
        await (route.fulfill(status=503, body="busy") if refusals < 4 else route.continue_())

    await page.route("**/events?*", refuse)
    number = await ask(page, "/long 3 /rate 200")
    await assert_whole(page, number)
    assert refusals == 4


async def test_reconnect_now_does_not_wait_for_the_next_try(visits: Visits, network: Network) -> None:
    visits.expect(*NETWORK_ERRORS)
    page = await visits.open(base_url=network.url)
    number = await ask(page, "/long 12 /rate 60")
    await grows(page, 50)
    network.cut()
    await expect(banner(page)).to_be_visible()
    network.mend()
    button = page.get_by_role("button", name="Reconnect now")
    if await button.is_visible():
        await button.click()
    await assert_whole(page, number)


async def test_a_message_sent_without_network_stays_in_the_composer(visits: Visits, network: Network) -> None:
    visits.expect(*NETWORK_ERRORS)
    page = await visits.open(base_url=network.url)
    await ask(page, "hello /rate 400")
    await becomes(page, "complete")
    network.cut()
    await send(page, "do not lose me")
    await expect(page.get_by_text("The server cannot be reached.").first).to_be_visible()
    await expect(message(page)).to_have_value("do not lose me")
    network.mend()
    await message(page).press("Enter")
    await expect(page.locator(".prompt")).to_have_count(2)
    await expect(message(page)).to_have_value("")


async def test_done_closes_the_stream_for_good(visits: Visits) -> None:
    page = await visits.open()
    number = await ask(page, "hello /rate 300")
    await becomes(page, "complete")
    await page.wait_for_timeout(2000)  # four times the first pause before a reconnect
    assert sum(f"/messages/{number}/events" in request.url for request in visits.requests) == 1


async def test_thirty_loads_of_a_live_answer_open_its_stream_once_each(visits: Visits) -> None:
    page = await visits.open()
    number, url = await begin(page, "/long 400 /rate 15")
    for load in range(1, 31):
        await page.goto(url)
        await grows(page)
        opened = [request for request in visits.requests if f"/messages/{number}/events" in request.url]
        assert len(opened) == load
    await stop(page).click()
    await becomes(page, "stopped")


async def test_a_hidden_tab_lets_go_of_its_stream_and_catches_up(visits: Visits) -> None:
    page = await visits.open()
    number = await ask(page, "/long 6 /rate 60")
    await grows(page, 50)
    await set_hidden(page, True)
    shown = len(await text(page).inner_text())
    await page.wait_for_timeout(1500)
    assert len(await text(page).inner_text()) <= shown + 40
    await set_hidden(page, False)
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


async def test_back_and_forward_double_no_text(visits: Visits) -> None:
    page = await visits.open()
    number = await ask(page, "/long 8 /rate 60")
    await grows(page, 60)
    await page.goto("/")
    await page.go_back()
    await grows(page, 60)
    await page.go_forward()
    await page.go_back()
    await assert_whole(page, number)


async def test_a_lost_session_stops_the_stream_and_says_so(visits: Visits, network: Network) -> None:
    visits.expect(*NETWORK_ERRORS, r"status of 401")
    page = await visits.open(base_url=network.url)
    number = await ask(page, "/long 300 /rate 30")
    await grows(page, 50)
    await page.context.clear_cookies(name="sessionid")
    network.cut()
    await network.refused.wait()
    network.mend()
    await expect(page.get_by_text("You are logged out.").first).to_be_visible()
    asked = sum(f"/messages/{number}/events" in request.url for request in visits.requests)
    await page.wait_for_timeout(2000)  # as long as three reconnects would take
    assert sum(f"/messages/{number}/events" in request.url for request in visits.requests) == asked


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
    await becomes(page, "interrupted")
    assert (await text(page).inner_text()).startswith(seen[:-1])
    await expect(answer(page).get_by_role("button", name="Retry")).to_be_visible()
    assert await log(page) == await reloaded_log(page)

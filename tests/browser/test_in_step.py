"""Two tabs of one person keep in step: what happens in one shows in the other, and disturbs nobody there."""

import asyncio
import json
from typing import Any

import pytest
from playwright.async_api import Locator, Page, WebSocket, expect

from .chat import answer, ask, becomes, begin, follows, log, message, reloaded_log, send, shows
from .site import Site
from .visits import Visits
from .wire import Network, Provider

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
ENDED = "A conversation to come back to /rate 5000"
SOCKET_LOST = r"^WebSocket connection to '[^']*/changes"
LOST = (SOCKET_LOST, r"net::ERR_", r"status of 50\d", r"^TypeError", r"^htmx: ", r"Failed to fetch")
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


class Socket:
    """The light socket of a page: what it has told, and whether it is open."""

    def __init__(self, page: Page) -> None:
        self.frames: list[Any] = []
        self.opened: list[WebSocket] = []
        page.on("websocket", self._watch)

    def _watch(self, socket: WebSocket) -> None:
        self.opened.append(socket)
        socket.on("framereceived", lambda payload: self.frames.append(json.loads(payload)))

    async def speaks(self, times: int = 1) -> None:
        """Wait until so many sockets have been there, and the last of them has told something."""
        await until(lambda: len(self.opened) >= times and self.frames[-1:] and not self.opened[-1].is_closed())

    async def ends(self) -> None:
        await until(lambda: self.opened[-1].is_closed())

    @property
    def told(self) -> list[str]:
        return [frame["event"] for frame in self.frames if frame["event"] != "ping"]


async def until(holds: Any) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.02)


async def two_tabs(visits: Visits, who: str = "alice") -> tuple[Page, Page, Socket]:
    """The same conversation in two tabs, and the socket of the second."""
    here = await visits.open(who)
    await ask(here, ENDED)
    await becomes(here, "complete")
    there = await here.context.new_page()
    socket = Socket(there)
    await there.goto(here.url)
    await socket.speaks()
    return here, there, socket


def entry(page: Page, title: str) -> Locator:
    return page.locator("#conversations li[id]").filter(has_text=title)


async def rename(page: Page, title: str) -> None:
    """Rename the open conversation."""
    await entry_of_open(page).hover()
    await entry_of_open(page).get_by_role("button").click()
    await page.locator(".menu:popover-open input[name=title]").fill(title)
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("h1")).to_have_text(title)


def entry_of_open(page: Page) -> Locator:
    return page.locator("#conversations li[id]").filter(has=page.locator("[aria-current]"))


async def test_a_turn_begun_in_one_tab_appears_and_streams_in_the_other_once_in_each(visits: Visits, provider: Provider) -> None:
    here, there, socket = await two_tabs(visits)
    provider.say("One ", pauses=True)
    await here.locator("select[name=model]").select_option(label="Wire")
    await send(here, "a secret prompt")
    await follows(there)
    await shows(there, "One")
    provider.add("and two.")
    await shows(there, "One and two.")
    provider.end()
    for page in (here, there):
        await becomes(page, "complete")
        await expect(page.locator("#log > article")).to_have_count(4)
    assert await log(there) == await log(here) == await reloaded_log(there)
    assert set(socket.told) == {"begun", "ended"}
    assert "secret" not in json.dumps(socket.frames)
    assert all(isinstance(number, int) for frame in socket.frames for number in frame.get("data", {}).values())


async def test_an_answer_retried_in_one_tab_is_replaced_in_the_other(visits: Visits) -> None:
    here, there, _ = await two_tabs(visits)
    await there.evaluate("window.isSamePage = true")
    first = await answer(there).get_attribute("id")
    await here.get_by_role("button", name="Retry").click()
    await expect(there.locator(f"#{first}")).to_have_count(0)
    await becomes(there, "complete")
    await becomes(here, "complete")
    await expect(there.locator("#log > article")).to_have_count(2)
    assert await there.evaluate("window.isSamePage")
    assert await log(there) == await log(here) == await reloaded_log(there)


async def test_an_update_takes_neither_focus_nor_place_nor_words_from_who_is_typing(visits: Visits, provider: Provider) -> None:
    here, there, _ = await two_tabs(visits)
    provider.say("A long answer.\n\n" * 60, pauses=True)
    await here.locator("select[name=model]").select_option(label="Wire")
    await send(here, "at length")
    await shows(there, "A long answer.")
    provider.end()
    await becomes(there, "complete")
    await message(there).fill("half a thought")
    await message(there).evaluate("area => area.setSelectionRange(2, 5)")
    await there.locator("#scroller").evaluate("box => { box.scrollTop = -400 }")
    before = await there.evaluate(STATE)
    await send(here, "and now /rate 5000")
    await becomes(here, "complete")
    await expect(there.locator("#log > article")).to_have_count(6)
    await becomes(there, "complete")
    after = await there.evaluate(STATE)
    assert before[:4] == after[:4] == ["message", "half a thought", 2, 5]
    assert abs(before[4] - after[4]) <= 1  # what is being read stays where it is


STATE = """() => {
  const area = document.querySelector("#message"), first = document.querySelector("#log > article:nth-child(4)");
  return [document.activeElement.id, area.value, area.selectionStart, area.selectionEnd, first.getBoundingClientRect().top];
}"""


async def test_words_selected_on_a_page_stay_selected(visits: Visits) -> None:
    here, there, _ = await two_tabs(visits)
    await there.evaluate("document.activeElement.blur(); getSelection().selectAllChildren(document.querySelector('.bubble'))")
    await rename(here, "Renamed while reading")
    await expect(there.locator("h1")).to_have_text("Renamed while reading")
    assert await there.evaluate("String(getSelection())") == ENDED
    assert await there.evaluate("document.activeElement === document.body")


async def test_a_new_title_shows_everywhere(visits: Visits) -> None:
    here, there, _ = await two_tabs(visits)
    await rename(here, "Bread & <b>butter</b>")
    await expect(there.locator("h1")).to_have_text("Bread & <b>butter</b>")
    await expect(entry_of_open(there)).to_contain_text("Bread & <b>butter</b>")
    await expect(there).to_have_title("Bread & <b>butter</b> · Chat")


async def test_an_open_menu_is_left_alone(visits: Visits) -> None:
    here, there, _ = await two_tabs(visits)
    await entry_of_open(there).hover()
    await entry_of_open(there).get_by_role("button").click()
    field = there.locator(".menu:popover-open input[name=title]")
    await field.fill("My own tit")
    await rename(here, "Of the other tab")
    await expect(there.locator("h1")).to_have_text("Of the other tab")
    await expect(entry(there, "Of the other tab")).to_have_count(1)
    await expect(field).to_have_value("My own tit")
    await expect(field).to_be_focused()


async def test_a_conversation_deleted_in_one_tab_is_gone_in_the_other_and_can_be_had_back(visits: Visits) -> None:
    here, there, _ = await two_tabs(visits)
    title = await there.locator("h1").inner_text()
    await rename(here, f"Unique {here.url[-5:]}")
    title = f"Unique {here.url[-5:]}"
    await expect(entry(there, title)).to_have_count(1)
    await message(there).fill("still here")
    await entry_of_open(here).hover()
    await entry_of_open(here).get_by_role("button").click()
    await here.get_by_role("button", name="Delete").click()
    await expect(there.locator(".notice")).to_contain_text("was deleted")
    await expect(entry(there, title)).to_have_count(0)
    await here.get_by_role("button", name="Undo").click()
    await expect(there.locator(".notice")).to_have_count(0)
    await expect(entry(there, title)).to_have_count(1)
    await expect(message(there)).to_have_value("still here")


async def test_the_sidebar_marks_what_is_being_answered_and_what_has_finished(visits: Visits, provider: Provider) -> None:
    _, there, _ = await two_tabs(visits)
    provider.say("Slowly", pauses=True)
    here = await there.context.new_page()
    await begin(here, "Marked in the sidebar", model="Wire")
    item = there.locator("#conversations li[id]").filter(has_text="Marked in the sidebar").first
    await expect(item.get_by_role("img", name="Answering")).to_be_visible()
    assert await item.get_attribute("data-finished") is None
    provider.end()
    await expect(item.get_by_role("img")).to_have_count(0)
    await expect(item).to_have_attribute("data-finished", "")
    await item.get_by_role("link").click()
    await expect(there.locator("h1")).to_have_text("Marked in the sidebar")
    await expect(entry_of_open(there)).not_to_have_attribute("data-finished", "")


async def test_nobody_else_hears_of_it(visits: Visits) -> None:
    here, there, _ = await two_tabs(visits)
    bobs = await visits.open("bob")
    socket = Socket(bobs)
    await bobs.goto("/")
    await socket.speaks()
    await send(here, "for alice only /rate 5000")
    await expect(there.locator("#log > article")).to_have_count(4)
    await becomes(there, "complete")
    assert socket.told == []


async def test_a_page_without_a_person_opens_no_socket(visits: Visits) -> None:
    page = await visits.open("")
    socket = Socket(page)
    await page.goto("/accounts/login/", wait_until="networkidle")
    assert socket.opened == []


async def test_a_lost_socket_costs_only_that_the_page_is_late(visits: Visits, network: Network) -> None:
    visits.expect(*LOST)
    near = await visits.open()
    await ask(near, ENDED)
    await becomes(near, "complete")
    far = await visits.open(base_url=network.url)
    socket = Socket(far)
    await far.goto(near.url.replace(visits.site.url, network.url))
    await socket.speaks()
    network.cut()
    await socket.ends()
    await send(near, "while it is away /rate 5000")
    await becomes(near, "complete")
    await rename(near, "Renamed meanwhile")
    assert await far.locator("#toasts .toast").count() == 0
    network.mend()
    await expect(far.locator("h1")).to_have_text("Renamed meanwhile")
    await expect(entry_of_open(far)).to_contain_text("Renamed meanwhile")
    await expect(far.locator("#log > article")).to_have_count(4)
    await becomes(far, "complete")
    assert await far.locator("#toasts .toast").count() == 0
    await expect(far.locator("#net")).to_be_hidden()


async def test_a_restart_of_the_site_brings_the_socket_back(browser: Any, restartable: Site) -> None:
    visits = Visits(browser, restartable)
    visits.expect(*LOST)
    page = await visits.open()
    socket = Socket(page)
    await page.goto("/")
    await socket.speaks()
    restartable.stop()
    await socket.ends()
    restartable.start()
    await socket.speaks(times=2)
    await visits.close()


async def test_a_page_that_is_hidden_for_long_lets_its_socket_go_and_catches_up_when_it_is_seen(visits: Visits) -> None:
    here, there, socket = await two_tabs(visits)
    await there.clock.install()
    await there.reload()
    await socket.speaks(times=2)
    await there.evaluate(HIDE, True)
    await there.clock.fast_forward(61_000)
    await socket.ends()
    await rename(here, "Nobody looks")
    count = len(socket.opened)
    await there.evaluate(HIDE, False)
    await expect(there.locator("h1")).to_have_text("Nobody looks")
    assert len(socket.opened) == count + 1

"""The view keeps to the end while the reader is there, and stays where it is when the reader has scrolled up."""

import pytest
from playwright.async_api import Page, expect

from .chat import ask, becomes, grows, send, stop
from .visits import Visits

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DISTANCE = "() => Math.round(Math.abs(document.querySelector('#scroller').scrollTop))"
MARK = """() => {
  const scroller = document.querySelector("#scroller"), box = scroller.getBoundingClientRect();
  const read = [...document.querySelectorAll(".answer-text > *")].find(e => e.getBoundingClientRect().top > box.top + 40);
  window.read = read;
  return read.getBoundingClientRect().top;
}"""


async def long_page(visits: Visits) -> Page:
    page = await visits.open()
    await ask(page, "/long 12 /rate 20000")
    await becomes(page, "complete")
    return page


async def test_the_end_stays_in_view_while_an_answer_grows(visits: Visits) -> None:
    page = await long_page(visits)
    assert await page.evaluate(DISTANCE) <= 2
    await send(page, "/long 8 /rate 400")
    await expect(page.locator(".prompt")).to_have_count(2)
    seen = 0
    while seen < 3000:
        seen = await grows(page, seen)
        assert await page.evaluate(DISTANCE) <= 2
        await expect(page.get_by_role("button", name="Jump to latest")).to_be_hidden()
    await becomes(page, "complete")


async def test_a_reader_who_scrolled_up_is_left_in_peace(visits: Visits) -> None:
    page = await long_page(visits)
    await send(page, "/long 4000 /rate 300")
    await expect(page.locator(".prompt")).to_have_count(2)
    await grows(page, 600)
    await page.locator("#scroller").hover()
    await page.mouse.wheel(0, -1200)
    await page.wait_for_function("() => Math.abs(document.querySelector('#scroller').scrollTop) > 600")
    await page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    jump = page.get_by_role("button", name="Jump to latest")
    await expect(jump).to_be_visible()
    before = await page.evaluate(MARK)
    await grows(page, await grows(page) + 1500)
    assert abs(await page.evaluate("window.read.getBoundingClientRect().top") - before) <= 2
    await jump.click()
    await expect(jump).to_be_hidden()
    assert await page.evaluate(DISTANCE) <= 2
    await grows(page, await grows(page) + 300)
    assert await page.evaluate(DISTANCE) <= 2
    await stop(page).click()
    await becomes(page, "stopped")


async def test_sending_leads_back_to_the_end(visits: Visits) -> None:
    page = await long_page(visits)
    await page.evaluate("document.querySelector('#scroller').scrollTop = -800")
    await send(page, "hello /rate 300")
    await expect(page.locator(".prompt")).to_have_count(2)
    await becomes(page, "complete")
    assert await page.evaluate(DISTANCE) <= 2


@pytest.mark.parametrize("width", [320, 390, 1200])
async def test_no_page_is_wider_than_the_window(visits: Visits, width: int) -> None:
    page = await visits.open(viewport={"width": width, "height": 800})
    await ask(page, "/markdown /code 30 /rate 20000")
    await becomes(page, "complete")
    for url in (page.url, "/", "/accounts/login/", "/accounts/password/change/"):
        await page.goto(url)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await page.go_back()


@pytest.mark.parametrize("shape", ["code", "list", "table"])
async def test_an_answer_of_two_thousand_lines_arrives_whole(visits: Visits, shape: str, record_property: object) -> None:
    """Long tasks are reported with the result, not asserted: they measure the machine as well."""
    page = await visits.open()
    await page.add_init_script("""
        window.tasks = [];
        new PerformanceObserver(list => window.tasks.push(...list.getEntries().map(e => Math.round(e.duration))))
            .observe({ type: "longtask", buffered: true });
    """)
    await ask(page, f"/{shape} 2000 /rate 8000")
    await becomes(page, "complete", patience=120_000)
    selector = {"code": "pre code", "list": "li", "table": "tbody tr"}[shape]
    found = page.locator(".answer-text").locator(selector)
    if shape == "code":
        assert (await found.text_content() or "").count("\n") == 2000
    else:
        await expect(found).to_have_count(2000)
    tasks = await page.evaluate("window.tasks")
    record_property("long_tasks_ms", tasks)  # type: ignore[operator]
    print(f"{shape}: {len(tasks)} long tasks, longest {max(tasks, default=0)} ms")

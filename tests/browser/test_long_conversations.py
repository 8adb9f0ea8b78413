"""A long conversation opens on its end; what is earlier comes as one scrolls, and nothing moves that is being read."""

import pytest
from playwright.async_api import expect

from .visits import Visits

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DRIFT = """async () => {
  const box = document.querySelector("#scroller").getBoundingClientRect(), before = document.querySelectorAll("#log > article").length;
  const read = [...document.querySelectorAll("#log > article")].find(article => article.getBoundingClientRect().bottom > box.top + 80);
  const start = read.getBoundingClientRect().top, seen = [];
  document.querySelector("#earlier").click();
  while (document.querySelectorAll("#log > article").length === before) await new Promise(requestAnimationFrame);
  for (let frame = 0; frame < 10; frame++) {
    await new Promise(requestAnimationFrame);
    seen.push(Math.abs(read.getBoundingClientRect().top - start));
  }
  return Math.max(...seen);
}"""


async def test_earlier_messages_come_without_a_jump_and_a_link_leads_to_one(visits: Visits) -> None:
    page = await visits.open()
    path = visits.site.run("tests.browser.long_conversation", "alice", "200")
    await page.goto(path)
    articles = page.locator("#log > article")
    await expect(articles).to_have_count(40)
    await expect(articles.last).to_be_in_viewport()
    await page.locator("#scroller").hover()
    await page.mouse.wheel(0, -100_000)
    await expect(articles).to_have_count(80)
    assert await page.evaluate(DRIFT) <= 1
    numbers = [int(str(found)[8:]) for found in await articles.evaluate_all("found => found.map(article => article.id)")]
    assert numbers == sorted(set(numbers))

    first = numbers[0]
    await page.goto(f"{path}?message={first}")
    await expect(page.locator(f"#message-{first}")).to_be_in_viewport()
    await page.get_by_role("link", name="Go to the latest").click()
    await expect(page.get_by_role("textbox", name="Message")).to_be_visible()


async def test_a_prompt_of_long_ago_is_edited_where_there_is_no_composer(visits: Visits) -> None:
    page = await visits.open()
    path = visits.site.run("tests.browser.long_conversation", "alice", "200")
    await page.goto(path)
    first = str(await page.locator("#log > .prompt").first.get_attribute("id"))
    await page.goto(f"{path}?message={first[8:]}")
    await expect(page.get_by_role("textbox", name="Message")).to_have_count(0)
    await page.locator(f"#{first}").get_by_role("link", name="Edit").click()
    await page.get_by_role("textbox", name="Edit your message").fill("Or is it? /rate 5000")
    await page.keyboard.press("Enter")
    await expect(page.locator("#log > .prompt .bubble").last).to_have_text("Or is it? /rate 5000")
    await expect(page.get_by_role("textbox", name="Message")).to_be_visible()

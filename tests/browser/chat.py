"""What people do on the page, and what they look at: the accessible names and states the site promises to keep."""

import re

from playwright.async_api import Locator, Page, expect

from .visits import CSRF
from .wire import Delta, Provider

NORMALISED_LOG = """
() => {
  const log = document.querySelector("#log").cloneNode(true);
  log.querySelectorAll("[hx-sse\\\\:connect]").forEach(element => element.remove());
  log.querySelectorAll("figure.code > details").forEach(fold => fold.open = false);
  for (const element of [log, ...log.querySelectorAll("*")]) {
    for (const { name } of [...element.attributes]) if (name.startsWith("data-hx") || name === "data-done") element.removeAttribute(name);
    if (!element.closest("pre, .bubble")) for (const node of [...element.childNodes])
      if (node.nodeType === 3 && !node.data.trim()) node.remove();
  }
  log.normalize();
  return log.innerHTML;
}
"""


async def ask(page: Page, prompt: str, model: str = "") -> int:
    """Begin a conversation as a program does, open it, and return the number of the answer."""
    answer, url = await begin(page, prompt, model)
    await page.goto(url)
    return answer


async def dictate(page: Page, provider: Provider, *deltas: Delta) -> int:
    """Begin an answer that says `deltas` and no more until the test does; return its number once the page follows it."""
    provider.say(*deltas, pauses=True)
    number = await ask(page, "Say what is dictated.", model="Wire")
    await follows(page)
    return number


async def begin(page: Page, prompt: str, model: str = "") -> tuple[int, str]:
    """Begin a conversation without looking at it; return the number of the answer and the path of the conversation."""
    data = {"prompt": prompt} | ({"model": await model_named(page, model)} if model else {})
    reply = await page.context.request.post("/conversations", data=data, headers={"Accept": "application/json", "X-CSRFToken": CSRF})
    assert reply.status == 201, await reply.text()
    body = await reply.json()
    return body["answer"], body["url"]


async def model_named(page: Page, name: str) -> str:
    await page.goto("/")
    value = await page.get_by_role("option", name=name).first.get_attribute("value")
    assert value
    return value


async def send(page: Page, prompt: str) -> None:
    """Send as a person does: type, and press Enter."""
    await message(page).fill(prompt)
    await message(page).press("Enter")


def message(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message")


def answer(page: Page) -> Locator:
    """The newest answer."""
    return page.locator('article[data-role="assistant"]').last


def text(page: Page) -> Locator:
    return answer(page).locator(".answer-text")


def stop(page: Page) -> Locator:
    return page.get_by_role("button", name="Stop")


async def becomes(page: Page, *statuses: str, patience: float | None = None) -> None:
    """Wait until the newest answer has one of the statuses."""
    await expect(answer(page)).to_have_attribute("data-status", re.compile(f"^({'|'.join(statuses)})$"), timeout=patience)


async def follows(page: Page) -> None:
    """Wait until a page that was just loaded has its stream open."""
    await expect(page.locator("#sr")).to_have_text("Answering…")


async def shows(page: Page, words: str) -> None:
    """Wait until the newest answer contains the words."""
    await expect(text(page)).to_contain_text(words)


async def grows(page: Page, beyond: int = 0) -> int:
    """Wait until the answer has more than `beyond` characters; return how many."""
    found = await page.wait_for_function(
        "beyond => { const n = [...document.querySelectorAll('.answer-text')].at(-1)?.textContent.trim().length; return n > beyond && n }",
        arg=beyond,
    )
    return int(await found.json_value())


async def source(page: Page, number: int) -> str:
    """The Markdown of an answer, as the server keeps it."""
    reply = await page.context.request.get(f"/messages/{number}/source")
    return await reply.text()


async def log(page: Page) -> str:
    """The conversation as the document holds it, without what only a live answer has and white space of templates."""
    return str(await page.evaluate(NORMALISED_LOG))


async def reloaded_log(page: Page) -> str:
    await page.reload()
    return await log(page)

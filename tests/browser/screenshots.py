"""Take the pictures of the README: `python -m tests.browser.screenshots`.

A real browser on the real site, which answers with its demo: it says the same every time, so the pictures stay comparable.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from tests.services import chromium

from . import chat
from .conftest import SWITCHES
from .site import ROOT, Site
from .visits import Visits

PICTURES = ROOT / "docs" / "screenshots"
EARLIER = ("A packing list for the coast", "Rename a Git branch", "Why bread rises", "Names for a boat")
PROMPT = "Show me what an answer can hold. /markdown /pause 3600"
LAST = r"b^2 \\ (a"  # what there is before the pause ends with this


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), LOCAL_MODEL="off")
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium(), args=SWITCHES)
            await asyncio.to_thread(site.start)
            try:
                await asyncio.to_thread(site.populate)
                await take(browser, site)
            finally:
                site.stop()
                await browser.close()


async def take(browser: Browser, site: Site) -> None:
    visits = Visits(browser, site)
    page = await visits.open()
    for title in EARLIER:
        await chat.ask(page, title)
        await chat.becomes(page, "complete")
    await chat.ask(page, PROMPT)
    await chat.shows(page, LAST)
    for name, options in looks().items():
        await picture(visits, page.url, name, options)
    await visits.close()


def looks() -> dict[str, dict[str, Any]]:
    screen = {"viewport": {"width": 1280, "height": 860}}
    phone = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
    return {
        "streaming-light": {**screen, "color_scheme": "light"},
        "streaming-dark": {**screen, "color_scheme": "dark"},
        "phone": {**phone, "color_scheme": "light"},
    }


async def picture(visits: Visits, url: str, name: str, options: dict[str, Any]) -> None:
    page: Page = await visits.open(**options)
    await page.goto(url)
    await chat.shows(page, LAST)
    await page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    asyncio.run(main())

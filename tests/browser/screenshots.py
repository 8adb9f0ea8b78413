"""Take the pictures of the README: `python -m tests.browser.screenshots`.

A real browser on the real site; the words of the answer are dictated below, so that the pictures stay comparable.
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
from .wire import Provider, listening

PICTURES = ROOT / "docs" / "screenshots"
EARLIER = ("A packing list for the coast", "Rename a Git branch", "Why bread rises", "Names for a boat")
PROMPT = "How do tides work? Show me how to estimate the next high water."
ANSWER = """Tides are long waves. The Moon pulls the near side of the sea more strongly than the far side, so the water bulges on **both**,
and the turning Earth carries you through each bulge once a lunar day.

| Phase | Sun and Moon | Range |
|:------|:-------------|------:|
| Spring | in line | 5.8 m |
| Neap | at right angles | 2.4 m |

A lunar day is longer than ours by $\\Delta t \\approx 50\\,\\text{min}$, so two high waters lie half of it apart:

```python
from datetime import datetime, timedelta

def next_high_water(last: datetime) -> datetime:
    return last + timedelta(hours=12, minutes=25)
```

"""
MORE = "Wind and air pressure move the"


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), LOCAL_MODEL="off")
        async with async_playwright() as playwright, listening(Provider(), "/v1") as provider:
            browser = await playwright.chromium.launch(executable_path=chromium(), args=SWITCHES)
            await asyncio.to_thread(site.start)
            try:
                await asyncio.to_thread(site.populate, provider.url)
                await take(browser, site, provider)
            finally:
                site.stop()
                await browser.close()


async def take(browser: Browser, site: Site, provider: Provider) -> None:
    visits = Visits(browser, site)
    page = await visits.open()
    for title in EARLIER:
        await chat.ask(page, title, model="Wire")
        await chat.becomes(page, "complete")
    provider.say(ANSWER + MORE, pauses=True)
    await chat.ask(page, PROMPT, model="Wire")
    await chat.grows(page, len(MORE))
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
    await chat.text(page).get_by_text(MORE).wait_for()
    await page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    asyncio.run(main())

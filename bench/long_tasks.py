"""Whether a page stays smooth while an answer streams into a long conversation: the longest task of Chromium's main thread meanwhile."""

import os
import shutil
import sys
from urllib.parse import urlsplit

from .latency import Latency
from .servers import Server

MODEL = "fake:rate=100,tokens=600,ttft=0.2"
AIM_MS = 50
LIMIT_MS = 60_000
OBSERVE = """
window.longTasks = [];
new PerformanceObserver(list => { for (const entry of list.getEntries()) window.longTasks.push(entry.duration); })
  .observe({ entryTypes: ["longtask"] });
"""
SWITCHES = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def chromium() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def measure(server: Server, session: str, address: str) -> Latency | None:
    """Type, scroll up and down and read while 600 tokens come at 100 a second. Tasks below 50 ms are none to Chromium: they count as 0."""
    if not (path := chromium()):
        print("\n!! NOT MEASURED: long tasks, because Chromium is not installed.\n", file=sys.stderr, flush=True)
        return None
    from playwright.sync_api import Error, sync_playwright

    latency = Latency("longest task while streaming, ms", "Chromium", aim=AIM_MS)
    with sync_playwright() as playwright, latency.trying():
        browser = playwright.chromium.launch(executable_path=path, args=SWITCHES)
        try:
            context = browser.new_context(base_url=server.base_url, viewport={"width": 1200, "height": 800})
            context.add_cookies([{"name": "sessionid", "value": session, "domain": urlsplit(server.base_url).hostname, "path": "/"}])
            page = context.new_page()
            page.goto(address)
            page.select_option("#composer [name=model]", str(server.models[MODEL]))
            page.fill("#message", "And what is it like in the rain?")
            page.wait_for_timeout(2_000)  # what loading takes is not meant
            page.evaluate(f"() => {{ {OBSERVE} }}")
            page.keyboard.press("Enter")
            page.wait_for_selector('article[data-status="running"] .answer-text > *', timeout=LIMIT_MS)
            for turn in range(10):
                page.keyboard.type("typed meanwhile ")
                page.mouse.move(600, 300)
                page.mouse.wheel(0, -900 if turn < 6 else 2_000)
                page.wait_for_timeout(300)
            page.wait_for_selector('#log > article:last-child[data-status="complete"]', timeout=LIMIT_MS)
            latency.values.append(max(page.evaluate("() => window.longTasks"), default=0))
        except Error as error:
            raise RuntimeError(str(error).splitlines()[0]) from error
        finally:
            browser.close()
    return latency

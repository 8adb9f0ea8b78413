"""The first load of a conversation: at most 50 KB of HTML, CSS and JS as transferred, in at most 8 requests."""

import pytest

from .chat import ask, becomes
from .visits import Visits

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MOST_BYTES = 50 * 1024
MOST_REQUESTS = 8


async def test_the_first_load_of_a_conversation_is_light(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "/markdown /rate 5000")
    await becomes(page, "complete")
    url = page.url
    page = await visits.open()
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Network.enable")
    await devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    urls: dict[str, str] = {}
    sizes: dict[str, float] = {}
    devtools.on("Network.requestWillBeSent", lambda event: urls.update({event["requestId"]: event["request"]["url"]}))
    devtools.on("Network.loadingFinished", lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}))
    await page.goto(url, wait_until="networkidle")
    told = {urls[request]: size for request, size in sizes.items()}
    print({url.rsplit("/", 1)[-1]: int(size) for url, size in told.items()}, int(sum(told.values())))
    assert len(urls) <= MOST_REQUESTS, urls
    assert len(sizes) == len(urls)
    assert sum(told.values()) <= MOST_BYTES, told

"""One site, one browser and one provider for all stories; a watched visit for each."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.services import chromium

from .site import Site
from .visits import Visits
from .wire import Network, Provider, listening

PATIENCE = 30_000  # milliseconds a story waits for what must happen; never a measure of speed
SWITCHES = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-smooth-scrolling",  # a turn of the wheel is done when it is done
]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=SWITCHES)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def provider() -> AsyncIterator[Provider]:
    async with listening(Provider(), "/v1") as provider:
        yield provider


@pytest.fixture(scope="session")
def site(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    yield from running(tmp_path_factory.mktemp("site"), provider, LOCAL_MODEL="off")


@pytest.fixture(scope="session")
def local_site(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same with the local model, as `make run` starts it."""
    yield from running(tmp_path_factory.mktemp("local-site"), provider)


def running(data_dir: Path, provider: Provider, **environment: str) -> Iterator[Site]:
    site = Site(data_dir, **environment)
    site.start()
    try:
        site.populate(provider.url)
        yield site
    finally:
        site.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def visits(browser: Browser, site: Site) -> AsyncIterator[Visits]:
    visits = Visits(browser, site)
    yield visits
    await visits.close()


@pytest_asyncio.fixture(loop_scope="session")
async def network(site: Site) -> AsyncIterator[Network]:
    async with listening(Network(site.port)) as network:
        yield network
        network.cut()


@pytest_asyncio.fixture(loop_scope="session")
async def local_network(local_site: Site) -> AsyncIterator[Network]:
    async with listening(Network(local_site.port)) as network:
        yield network
        network.cut()


@pytest.fixture(scope="session")
def restartable(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that a story may bring down, and must leave running."""
    yield from running(tmp_path_factory.mktemp("restartable"), provider, LOCAL_MODEL="off", TITLES="auto")


@pytest.fixture(scope="session")
def bare_site(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site on which nobody has enabled a model."""
    yield from running(tmp_path_factory.mktemp("bare"), provider, LOCAL_MODEL="off", WITHOUT_MODELS="1")

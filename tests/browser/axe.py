"""axe-core on a page: every rule it has, in one sentence each where one is broken."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page

FILE = Path(__file__).parent / "vendor" / "axe-4.14.1.min.js"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
COLOUR_RULES = ("color-contrast", "link-in-text-block")  # of those that axe runs by default, all that look at colours
RUN = """async rules => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"], ...rules });
  return violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(node => ({
    html: node.html.slice(0, 160), why: node.failureSummary.slice(0, 300), target: String(node.target) })) }));
}"""


@cache
def program() -> str:
    return FILE.read_text()


async def violations(page: Page, *only: str) -> list[dict[str, Any]]:
    """Return what axe finds, with every rule or with those named, after the page has come to rest.

    Devtools evaluate it, so the policy stays as it is.
    """
    await page.evaluate(
        "document.fonts.ready.then(() => Promise.all(document.getAnimations().filter(a => "
        "a.effect.getTiming().iterations !== Infinity && a.animationName !== 'toast-out').map(a => a.finished.catch(() => 0))))"
    )
    if not await page.evaluate("typeof axe === 'object'"):
        await page.evaluate(program())
    return list(await page.evaluate(RUN, {"runOnly": list(only)} if only else {}))


async def violations_light_and_dark(page: Page, what: str = "") -> list[str]:
    """Return what axe finds in light, and what the colours of the dark theme change: all else is the same page."""
    await page.emulate_media(color_scheme="light", reduced_motion="reduce")
    found = [f"{what} light: {violation}" for violation in await violations(page)]
    await page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    return found + [f"{what} dark: {violation}" for violation in await violations(page, *COLOUR_RULES)]

"""axe-core on a page: every rule it has, in one sentence each where one is broken."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page

FILE = Path(__file__).parent / "vendor" / "axe-4.14.1.min.js"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
RUN = """async context => {
  const { violations } = await axe.run(context || document, { resultTypes: ["violations"] });
  return violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(node => ({
    html: node.html.slice(0, 160), why: node.failureSummary.slice(0, 300), target: String(node.target) })) }));
}"""


@cache
def program() -> str:
    return FILE.read_text()


async def violations(page: Page, context: object = None) -> list[dict[str, Any]]:
    """Return what axe finds, after the page has come to rest; devtools evaluate it, so the policy stays as it is."""
    await page.evaluate(
        "document.fonts.ready.then(() => Promise.all(document.getAnimations().filter(a => "
        "a.effect.getTiming().iterations !== Infinity && a.animationName !== 'toast-out').map(a => a.finished.catch(() => 0))))"
    )
    if not await page.evaluate("typeof axe === 'object'"):
        await page.evaluate(program())
    return list(await page.evaluate(RUN, context))

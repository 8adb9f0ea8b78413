"""Visits of the cast: browser contexts that are logged in, and watched. What a page must never do fails the test.

Watched are Content-Security-Policy violations, page errors, console errors, and requests to anywhere but the site.
"""

import re

from playwright.async_api import Browser, BrowserContext, Page, Request

from .site import Site

CSRF = "c" * 32
NOT_OF_THE_PAGE = r"Transition was (aborted|skipped)"  # Chromium's note where one page follows another before it was shown
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", event =>
  console.error(`CSP violation: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


class Visits:
    def __init__(self, browser: Browser, site: Site) -> None:
        self.browser, self.site = browser, site
        self.problems: list[str] = []
        self.requests: list[Request] = []
        self._contexts: list[BrowserContext] = []
        self._expected: list[str] = []

    def expect(self, *patterns: str) -> None:
        """Say which console errors belong to the story, as regular expressions."""
        self._expected += patterns

    async def open(self, who: str = "alice", *, base_url: str = "", **options: object) -> Page:
        """Return an empty page of a new context. `who` is "" for nobody; options are Playwright's of a context."""
        url = base_url or self.site.url
        context = await self.browser.new_context(base_url=url, **({"viewport": {"width": 1200, "height": 800}} | options))  # type: ignore[arg-type]
        self._contexts.append(context)
        cookies = {"csrftoken": CSRF} | ({"sessionid": self.site.sessions[who]} if who else {})
        await context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
        await context.add_init_script(REPORT_VIOLATIONS)
        self._watch(context, url)
        return await context.new_page()

    def _watch(self, context: BrowserContext, url: str) -> None:
        def asked(request: Request) -> None:
            self.requests.append(request)
            if not request.url.startswith((url, self.site.url, "data:", "blob:")):
                self.problems.append(f"asked elsewhere: {request.url}")

        context.on("request", asked)
        context.on("weberror", lambda error: self.problems.append(f"page error: {error.error}"))
        context.on("console", lambda said: self.problems.append(said.text) if said.type in ("error", "warning") else None)

    async def close(self) -> None:
        for context in self._contexts:
            await context.close()
        expected = [NOT_OF_THE_PAGE, *self._expected]
        unexpected = [problem for problem in self.problems if not any(re.search(pattern, problem) for pattern in expected)]
        assert not unexpected, unexpected

"""A visitor's browser that is watched: what a page must never do fails the test that made it do so."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page

Scheme = Literal["dark", "light"]

TIMEOUT = 30_000  # milliseconds: a machine that does something else is no fault of a page
LOOPBACK = {"127.0.0.1", "localhost"}
# Playwright's event for a violation is the console's, which Chromium does not write for all of them.
TELL_VIOLATIONS = """addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy violated: ${event.violatedDirective} by ${event.blockedURI} ${event.sample}`));"""
REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (\d{3}) ")


class Watched:
    """A context of a browser, with one page to begin with, and all that went wrong in it."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.faults: list[str] = []
        self.navigations: list[str] = []
        """Where the first page has been sent, without queries."""
        self._expected: set[int] = set()
        context.add_init_script(TELL_VIOLATIONS)
        context.on("request", lambda request: self._see_request(request.url))
        context.on("console", lambda message: self._see_line(message.type, message.text))
        context.on("weberror", lambda error: self.faults.append(f"error in the page: {error.error}"))
        self.page: Page = context.new_page()
        self.page.on("framenavigated", lambda frame: self.navigations.append(frame.url.partition("?")[0]))

    def expect(self, *statuses: int) -> None:
        """Let the browser write into its console that requests were answered so."""
        self._expected.update(statuses)

    def _see_request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname not in LOOPBACK:
            self.faults.append(f"a request that leaves the machine: {url}")

    def _see_line(self, kind: str, text: str) -> None:
        if kind not in ("error", "warning"):
            return
        refused = REFUSED.match(text)
        if refused is None or int(refused[1]) not in self._expected:
            self.faults.append(f"{kind} in the console: {text}")


@contextmanager
def watching(browser: Browser, scheme: Scheme = "light", width: int = 1200, **options: Any) -> Iterator[Watched]:
    """A new visitor; fails afterwards with all faults at once."""
    context = browser.new_context(
        color_scheme=scheme, reduced_motion="reduce", viewport={"width": width, "height": 900}, **options
    )
    context.set_default_timeout(TIMEOUT)
    try:
        watched = Watched(context)
        yield watched
        assert watched.faults == [], "\n".join(watched.faults)
    finally:
        context.close()

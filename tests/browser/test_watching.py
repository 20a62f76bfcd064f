"""The eyes of the tests in this folder: what they overlook, no test of a page would notice."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium
from tests.browser.watching import watching
from tests.integration.installation import UnavailableError

PAGE = "http://127.0.0.1:9/page"


@pytest.mark.parametrize(
    ("markup", "fault"),
    [
        pytest.param("<script>console.error('oh')</script>", "error in the console: oh", id="console"),
        pytest.param("<script>null.x</script>", "error in the page", id="uncaught"),
        pytest.param("<img src='http://id.example.com/x.png'>", "a request that leaves the machine", id="leak"),
        pytest.param("<img src='http://127.0.0.1:9/gone.png'>", "error in the console: Failed to load", id="status"),
        pytest.param("<style>p{color:red}</style>", "policy violated: style-src-elem", id="policy"),
        pytest.param("<script>document.body.innerHTML = 'x'</script>", "policy violated: require-trusted", id="types"),
    ],
)
def test_what_a_page_must_not_do_is_seen(browser: Browser, markup: str, fault: str) -> None:
    """Each of them fails the test during which it happens."""
    with pytest.raises(AssertionError, match=fault):
        _show(browser, markup)


def _show(browser: Browser, markup: str) -> None:
    policy = "default-src *; script-src 'unsafe-inline'; style-src 'none'; require-trusted-types-for 'script'"
    with watching(browser) as watched:
        watched.context.route("**/gone.png", lambda route: route.fulfill(status=404))
        body, headers = f"<link rel=icon href=data:,><body>{markup}", {"content-security-policy": policy}
        watched.page.route(PAGE, lambda route: route.fulfill(content_type="text/html", body=body, headers=headers))
        watched.page.goto(PAGE)
        watched.page.wait_for_load_state("networkidle")


@pytest.mark.parametrize(
    ("named", "said"),
    [("", "apt-get install chromium"), ("no-such-browser", "which is no program")],
    ids=["none", "wrong"],
)
def test_a_browser_that_is_missing_is_said_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, named: str, said: str
) -> None:
    """Where nobody installs one: not in continuous integration."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CHROMIUM", named)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(UnavailableError, match=said):
        chromium.find()


def test_continuous_integration_installs_the_distribution_s_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As root, by the package tool; here by one that writes down how it was called."""
    tool = tmp_path / "apt-get"
    tool.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n'
        f'if [ "$1" = install ]; then echo > {tmp_path}/chromium; /bin/chmod +x {tmp_path}/chromium; fi\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", "true")
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert chromium.find() == str(tmp_path / "chromium")
    assert (tmp_path / "calls").read_text() == "update\ninstall --yes --no-install-recommends chromium\n"

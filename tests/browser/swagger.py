"""The docs page as a person uses it."""

from collections.abc import Callable, Sequence

from playwright.sync_api import Locator, Page, expect


class DocsPage:
    """Swagger UI, opened; its dialogs by what they are called."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        page.goto(url)
        expect(page.locator(".opblock").first).to_be_visible()
        self._dialog = page.locator(".modal-ux")

    def log_in(self, at_the_issuer: Callable[[Page], None], scopes: Sequence[str] = ()) -> None:
        """Press Authorize, choose scopes, and be sent to the issuer, whose page ``at_the_issuer`` fills in."""
        self.open_dialog()
        for scope in scopes:
            self._dialog.get_by_text(scope, exact=True).click()
        with self.page.expect_popup() as opened:
            self._dialog.get_by_role("button", name="Apply given OAuth2 credentials").click()
        popup = opened.value
        with popup.expect_event("close"):
            at_the_issuer(popup)
        expect(self._dialog.get_by_role("button", name="Remove authorization")).to_be_visible()
        self.close_dialog()

    def paste(self, token: str) -> None:
        """Authorize by a token that one has already."""
        self.open_dialog()
        self._dialog.locator("#auth-bearer-value").fill(token)
        self._dialog.get_by_role("button", name="Apply credentials").click()
        expect(self._dialog.get_by_role("button", name="Remove authorization")).to_be_visible()
        self.close_dialog()

    def open_dialog(self) -> Locator:
        self.page.locator(".schemes .authorize").click()
        expect(self._dialog).to_be_visible()
        return self._dialog

    def close_dialog(self) -> None:
        self._dialog.locator(".close-modal").click()
        expect(self._dialog).to_have_count(0)

    def try_out(self, operation: str) -> "TriedOut":
        """Execute an operation, by its tag and id: ``orders-list_orders``."""
        block = self.page.locator(f"#operations-{operation}")
        block.locator(".opblock-summary-control").click()
        block.get_by_role("button", name="Try it out").click()
        block.get_by_role("button", name="Execute").click()
        return TriedOut(block)


class TriedOut:
    """What the page shows of the answer."""

    def __init__(self, block: Locator) -> None:
        answer = block.locator(".live-responses-table .response")
        self.status = answer.locator(".response-col_status")
        self.body = answer.locator(".highlight-code code")
        self.fields = answer.locator("h5:text-is('Response headers') + pre")
        self.url = block.locator(".request-url pre")
        self.curl = block.locator(".curl")

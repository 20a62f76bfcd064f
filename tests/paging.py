"""What every page of the project's own has to be (T36): a table of rules, and a reader of HTML."""

import re
from html.parser import HTMLParser
from typing import Any

import httpx2

NONCE = re.compile(r"'nonce-([\w-]{20,})'")


class Page(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, Any]]] = []
        self.said = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said += data

    def all(self, *tags: str) -> list[dict[str, Any]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


def policy(response: httpx2.Response) -> dict[str, str]:
    parts = [part.strip().partition(" ") for part in response.headers["content-security-policy"].split(";")]
    return {name: sources for name, _, sources in parts}


def check_page(response: httpx2.Response, *, connect: str) -> Page:
    """Demand what holds for all of them, and give what is in it."""
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["x-content-type-options"] == "nosniff"
    rules, page = policy(response), Page(response.text)
    found = NONCE.search(rules["script-src"])
    assert found is not None
    nonce = f"'nonce-{found[1]}'"
    assert rules == {
        "default-src": "'none'",
        "script-src": nonce,
        "style-src": nonce,
        "img-src": "data:",
        "connect-src": connect,
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    scripts, styles = page.all("script"), [one for one in page.all("link") if one["rel"] == "stylesheet"]
    assert scripts
    assert styles
    assert all(one["nonce"] == found[1] for one in scripts + styles)
    assert all(one.get("src") for one in scripts)
    for tag, attributes in page.elements:
        assert tag not in ("style", "iframe", "object", "base")
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("src", "href", "action"):
            assert not re.match(r"\w+://|//", attributes.get(name) or ""), f"another host: {attributes}"
    check_usable(page)
    return page


def check_usable(page: Page) -> None:
    """Whoever hears the page, or has a keyboard alone, can use it."""
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    labelled = {one["for"] for one in page.all("label") if "for" in one}
    wrapped = page.all("input")
    for field in page.all("select", "textarea"):
        assert field["id"] in labelled
    for field in wrapped:
        assert field["id"] in labelled or field["type"] == "radio"
    for _, attributes in page.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert set((attributes.get(name) or "").split()) <= set(ids)
    assert [one["lang"] for one in page.all("html")] == ["en"]
    assert len(page.all("h1")) <= 1
    assert any(one["name"] == "viewport" for one in page.all("meta") if "name" in one)

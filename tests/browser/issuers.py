"""A person at the issuers' own pages, and tokens that come by other ways."""

import json
from typing import Any

import httpx2
from playwright.sync_api import Page

from tests.callers.development import Development


def log_in_for_development(page: Page, name: str, password: str) -> None:
    """Fill in the login page of the development authorization server."""
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in and allow").click()


def log_in_at_oidc_provider(page: Page, name: str) -> None:
    """Choose an account of npm's ``oidc-provider``."""
    page.get_by_role("button", name=name).click()


def client_credentials(server: Development, scope: str) -> str:
    """A token of the service that needs no user."""
    form = {"grant_type": "client_credentials", "scope": scope}
    with httpx2.Client(trust_env=False) as http:
        answer = http.post(f"{server.issuer}/token", data=form, auth=(server.client_id, server.client_secret))
    return str(answer.raise_for_status().json()["access_token"])


def mint(server: Development, account: str = "alice", client: str = "swagger-ui", *scopes: str, **claims: Any) -> str:
    """A token with claims of the test's choice, by what the playground asks."""
    good = _ask(server, "mint", account=account, client=client, scopes=list(scopes))["token"]
    told = _ask(server, "explain", token=good, route="GET /orders", parameters={}, content="")
    changed = json.dumps(json.loads(told["claims"]) | claims)
    return str(_ask(server, "sign", header=told["header"], claims=changed, forged=False)["token"])


def _ask(server: Development, name: str, **sent: Any) -> dict[str, Any]:
    with httpx2.Client(trust_env=False, headers={"sec-fetch-site": "same-origin"}) as http:
        answer: dict[str, Any] = http.post(f"{server.api}/playground/{name}", json=sent).raise_for_status().json()
    return answer

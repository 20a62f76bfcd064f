"""``dev``: what it prints is run as it stands, and what would carry it off this machine is refused (threats T34)."""

import base64
import hashlib
import re
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.integration.serving import Running, running

README = Path(__file__).parents[2] / "README.md"
TOLD = re.compile(r"Press Ctrl\+C to end\.")


class Developing(Running):
    """Both servers of ``dev``, and what was printed about them."""

    @property
    def origins(self) -> tuple[str, str]:
        """The API's and the authorization server's."""
        api, issuer = re.findall(r"^  The .+ {3}(http://127\.0\.0\.1:\d+) ", self.out.text, re.MULTILINE)
        return api, issuer

    @property
    def passwords(self) -> dict[str, str]:
        return dict(re.findall(r"^    (alice|eve|root) +(\S+)$", self.out.text, re.MULTILINE))

    @property
    def blocks(self) -> list[str]:
        """What is to be pasted: the lines between two comments."""
        pasted = self.out.text.partition("Paste these")[2].partition("Users who can log in")[0]
        return [block.strip("\n") for block in re.split(r"^  # .*\n", pasted, flags=re.MULTILINE)[1:]]


@contextmanager
def developing() -> Iterator[Developing]:
    with running("dev", "--port", "0", "--issuer-port", "0", kind=Developing) as dev:
        dev.out.wait_for(TOLD.search)
        yield dev


@pytest.fixture(scope="module")
def dev() -> Iterator[Developing]:
    with developing() as server:
        yield server


@pytest.fixture
def http() -> Iterator[httpx2.Client]:
    with httpx2.Client(trust_env=False, follow_redirects=False) as client:
        yield client


def test_the_printed_lines_do_what_is_printed_above_them(dev: Developing) -> None:
    """DESIGN §6: copy, paste, and see a 401, a token, a 200, a 403 and an explanation."""
    first, token, third, fourth, fifth = dev.blocks
    missing, good, denied = paste(first), paste(token, third), paste(token, fourth)

    api, _ = dev.origins
    assert status(missing) == 401
    metadata = f'resource_metadata="{api}/.well-known/oauth-protected-resource"'
    assert f'www-authenticate: Bearer realm="api", scope="orders:read", {metadata}\n' in missing
    assert paste(token, 'printf %s "$TOKEN"').count(".") == 2
    assert status(good) == 200
    assert good.endswith('[{"id":1,"item":"lamp","quantity":1}]')
    assert status(denied) == 403
    assert "www-authenticate" not in denied.lower()
    assert '"error":"access_denied"' in denied
    assert paste(token, fifth).endswith("  => 200  granted\n")


def test_the_readme_s_pipe_explains_a_token_of_the_development_server(dev: Developing, http: httpx2.Client) -> None:
    """What can be copied must work: only the log-in needs a browser, and the ports of this test are others."""
    [pipe] = re.findall(r"^(\S+ -m resource_server token (?:.*\n)+?)```$", README.read_text("utf-8"), re.MULTILINE)
    get, _, explain = pipe.partition("|\n")
    (api, issuer), token = dev.origins, log_in(dev, http, "alice", get.partition("--scope ")[2].strip())
    command = explain.replace("http://127.0.0.1:8000", api).replace("http://127.0.0.1:9000", issuer)
    command = command.replace(".venv-run/bin/python", shlex.quote(sys.executable))
    assert "-m resource_server explain" in command
    assert paste(f"echo {token} | {command.strip()}").endswith("  => 200  granted\n")


def paste(*blocks: str) -> str:
    """Run what a developer pastes, in one shell."""
    script = "\n".join(blocks)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.replace("\r\n", "\n")


def status(output: str) -> int:
    """Of an answer that curl printed with its head."""
    return int(output.split(" ")[1])


class Form(HTMLParser):
    """The fields of the one form of a page, and where it goes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form":
            self.action = attributes.get("action") or ""
        elif tag == "input" and attributes.get("name"):
            self.fields[str(attributes["name"])] = attributes.get("value") or ""


def log_in(dev: Developing, http: httpx2.Client, user: str, scope: str = "") -> str:
    """Go the way of the OpenAPI page: the login form, then the code with PKCE; the access token."""
    api, issuer = dev.origins
    verifier, state = secrets.token_urlsafe(32), secrets.token_urlsafe(8)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    redirect_uri = f"{api}/docs/oauth2-redirect"
    client = {"client_id": "swagger-ui", "redirect_uri": redirect_uri}
    request = {"response_type": "code", "state": state, "code_challenge": challenge, "code_challenge_method": "S256"}
    page = http.get(f"{issuer}/authorize", params={**client, **request, "scope": scope})
    assert page.status_code == 200
    form = Form(page.text)
    answer = http.post(
        str(page.url.join(form.action)),
        data={**form.fields, "username": user, "password": dev.passwords[user]},
        headers={"sec-fetch-site": "same-origin"},
    )
    assert answer.is_redirect, answer.text
    callback = urlsplit(answer.headers["location"])
    assert f"{callback.scheme}://{callback.netloc}{callback.path}" == redirect_uri
    query = parse_qs(callback.query)
    assert (query["state"], query["iss"]) == ([state], [issuer])
    grant = {"grant_type": "authorization_code", "code": query["code"][0], "code_verifier": verifier}
    token = http.post(f"{issuer}/token", data={**client, **grant})
    assert token.status_code == 200, token.text
    return str(token.json()["access_token"])


def call(dev: Developing, http: httpx2.Client, method: str, path: str, token: str, **content: Any) -> httpx2.Response:
    headers = {"authorization": f"Bearer {token}"}
    return http.request(method, dev.origins[0] + path, headers=headers, **content)


def test_alice_writes_her_profile_and_sees_no_dashboard(dev: Developing, http: httpx2.Client) -> None:
    """DESIGN §6: an ordinary customer gets 403 without a challenge."""
    token = log_in(dev, http, "alice", "profile:write")
    profile = {"display_name": "Alice"}
    own = call(dev, http, "PUT", "/api/v1/users/alice/profile", token, json=profile)
    assert (own.status_code, own.json()) == (200, {"id": "alice", "display_name": "Alice"})
    other = call(dev, http, "PUT", "/api/v1/users/eve/profile", token, json=profile)
    dashboard = call(dev, http, "GET", "/admin/dashboard", token)
    for denied in (other, dashboard):
        assert denied.status_code == 403
        assert "www-authenticate" not in denied.headers


def test_root_sees_the_dashboard(dev: Developing, http: httpx2.Client) -> None:
    """DESIGN §6."""
    answer = call(dev, http, "GET", "/admin/dashboard", log_in(dev, http, "root"))
    assert (answer.status_code, answer.json()) == (200, {"orders_today": 3})


def test_eve_sees_posts_and_no_settings(dev: Developing, http: httpx2.Client) -> None:
    """DESIGN §6."""
    token = log_in(dev, http, "eve")
    assert call(dev, http, "GET", "/admin/posts", token).status_code == 200
    assert call(dev, http, "GET", "/admin/settings", token).status_code == 403


def test_the_pages_are_there(dev: Developing, http: httpx2.Client) -> None:
    """T38: `/docs` is on in `dev`."""
    api, _ = dev.origins
    assert http.get(f"{api}/docs").status_code == 200
    assert http.get(f"{api}/openapi.json").json()["info"]["title"] == "Bundled API of resource_server"


@pytest.mark.parametrize("server", [0, 1], ids=["API", "authorization server"])
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({"host": "evil.example"}, 421, id="a name that was rebound"),
        pytest.param({"host": "127.0.0.1:1"}, 421, id="another port"),
        pytest.param({"host": "127.0.0.1.evil.example"}, 421, id="a name like the address"),
        pytest.param({"x-forwarded-for": "203.0.113.9"}, 400, id="a proxy"),
        pytest.param({"forwarded": "for=203.0.113.9"}, 400, id="a proxy of RFC 7239"),
        pytest.param({"via": "1.1 tunnel"}, 400, id="a tunnel"),
    ],
)
def test_what_did_not_come_straight_from_this_machine_is_refused(
    dev: Developing, http: httpx2.Client, server: int, headers: dict[str, str], expected: int
) -> None:
    """T34: port publishing, tunnels, DNS rebinding; a WebSocket's handshake is one of them."""
    origin = dev.origins[server]
    for path in ("/healthz", "/orders", "/docs", "/.well-known/oauth-authorization-server", "/token"):
        assert http.get(origin + path, headers=headers).status_code == expected
    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    assert http.get(f"{origin}/orders/socket", headers={**upgrade, **headers}).status_code == expected


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_both_answer_by_their_names_on_this_machine(dev: Developing, http: httpx2.Client, name: str) -> None:
    """T34, the good side."""
    for origin, path in zip(dev.origins, ("/healthz", "/jwks.json"), strict=True):
        port = origin.rpartition(":")[2]
        assert http.get(origin + path, headers={"host": f"{name}:{port}"}).status_code == 200


def test_keys_and_passwords_are_new_at_each_start(dev: Developing, http: httpx2.Client) -> None:
    """T34: nothing that an earlier start gave away opens this one."""
    with developing() as other:
        keys = [http.get(f"{one.origins[1]}/jwks.json").json()["keys"] for one in (dev, other)]
        token = log_in(other, http, "root")
        assert call(dev, http, "GET", "/api/v1/me", token).status_code == 401
    assert {key["kid"] for key in keys[0]}.isdisjoint(key["kid"] for key in keys[1])
    assert dev.passwords.keys() == other.passwords.keys() == {"alice", "eve", "root"}
    assert set(dev.passwords.values()).isdisjoint(other.passwords.values())
    assert re.findall(r"-u \S+:(\S+)", dev.out.text) != re.findall(r"-u \S+:(\S+)", other.out.text)

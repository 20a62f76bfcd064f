"""``resource-server token``: as a service with a secret, and as a user whose browser comes back with a code."""

import json
import re
import threading
import webbrowser
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from resource_server.commands import token as command
from tests.commands.conftest import Run

TOKEN = "eyJ.an-access-token.sig"


class Provider:
    """A scripted authorization server on loopback; it notes what it was asked."""

    def __init__(self) -> None:
        self.forms: list[dict[str, str]] = []
        self.answer: tuple[int, object] = (200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300})
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(200, provider.metadata)

            def do_POST(self) -> None:
                form = self.rfile.read(int(self.headers["content-length"])).decode()
                provider.forms.append({name: values[0] for name, values in parse_qs(form).items()})
                self._send(*provider.answer)

            def _send(self, status: int, body: object) -> None:
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                """Write nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.metadata: object = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
        }


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    thread = threading.Thread(target=provider.server.serve_forever, args=(0.01,))
    thread.start()
    yield provider
    provider.server.shutdown()
    thread.join()
    provider.server.server_close()


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "secret"
    path.write_text("s3cret\n")
    return str(path)


Bring = Callable[[dict[str, str]], dict[str, str] | None]


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Bring], None]]:
    """A browser that visits the redirect URI with what a test makes of the authorization request."""
    threads: list[threading.Thread] = []

    def install(bring: Bring) -> None:
        def open_browser(url: str) -> bool:
            query = bring({name: values[0] for name, values in parse_qs(urlsplit(url).query).items()})
            visits = ["http://127.0.0.1:8765/favicon.ico", f"{command.REDIRECT_URI}?{urlencode(query or {})}"]
            thread = threading.Thread(target=lambda: [httpx2.get(visit, trust_env=False) for visit in visits])
            threads.append(thread)
            thread.start()
            return True

        monkeypatch.setattr(webbrowser, "open", open_browser)

    yield install
    for thread in threads:
        thread.join()


def test_a_service_gets_a_token_by_its_secret(run: Run, provider: Provider, secret: str) -> None:
    """RFC 6749 §4.4; RFC 8707 names the API. The token stands alone on standard output."""
    ended = run(
        "token", "--issuer", provider.issuer, "--client-id", "me", "--client-secret-file", secret,
        "--scope", "a b", "--resource", "https://api.example.com",
    )  # fmt: skip
    assert (ended.code, ended.out, ended.err) == (0, TOKEN + "\n", "")
    assert provider.forms == [
        {"grant_type": "client_credentials", "scope": "a b", "resource": "https://api.example.com"}
    ]


def test_a_user_logs_in_with_a_browser(run: Run, provider: Provider, browser: Callable[[Bring], None]) -> None:
    """RFC 8252 and RFC 7636: S256, a state, and the verifier only at the token endpoint."""
    asked: list[dict[str, str]] = []

    def bring(query: dict[str, str]) -> dict[str, str]:
        asked.append(query)
        return {"code": "c0de", "state": query["state"], "iss": provider.issuer}

    browser(bring)
    ended = run("token", "--issuer", provider.issuer, "--client-id", "me", "--scope", "a", "--json")
    assert ended.code == 0
    assert json.loads(ended.out)["access_token"] == TOKEN
    [query] = asked
    assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
    assert (query["client_id"], query["redirect_uri"], query["scope"]) == ("me", command.REDIRECT_URI, "a")
    [form] = provider.forms
    assert (form["code"], form["redirect_uri"]) == ("c0de", command.REDIRECT_URI)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43,128}", form["code_verifier"])
    assert form["code_verifier"] not in ended.err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param({"state": "other"}, "wrong_state: the answer belongs to another login", id="state"),
        pytest.param({"iss": "https://evil.example.com"}, "wrong_issuer: ", id="mix-up"),
        pytest.param({"code": "", "error": "access_denied", "error_description": "no"}, "access_denied: no", id="no"),
    ],
)
def test_an_answer_that_is_not_for_this_login_is_refused(
    run: Run, provider: Provider, browser: Callable[[Bring], None], change: dict[str, str], told: str
) -> None:
    """RFC 6749 §10.12 and RFC 9207."""

    def bring(query: dict[str, str]) -> dict[str, str]:
        answer = {"code": "c0de", "state": query["state"], "iss": provider.issuer} | change
        return {name: value for name, value in answer.items() if value}

    browser(bring)
    ended = run("token", "--issuer", provider.issuer)
    assert (ended.code, ended.out) == (1, "")
    assert f"The issuer refuses: {told}" in ended.err
    assert provider.forms == []


def test_a_refusal_of_the_issuer_ends_with_1(run: Run, provider: Provider, secret: str) -> None:
    """DESIGN §6: exit 1 is refused."""
    provider.answer = 400, {"error": "invalid_scope", "error_description": "unknown"}
    ended = run("token", "--issuer", provider.issuer, "--client-id", "me", "--client-secret-file", secret)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "The issuer refuses: invalid_scope: unknown\n"


def test_an_issuer_that_is_down_ends_with_3(run: Run, secret: str) -> None:
    """DESIGN §6: exit 3 is unreachable. The discard port of loopback refuses connections."""
    ended = run("token", "--issuer", "http://127.0.0.1:9", "--client-secret-file", secret)
    assert (ended.code, ended.err) == (3, "http://127.0.0.1:9 can't be reached: ConnectError\n")


@pytest.mark.parametrize("metadata", [b"<html>", [], {}, {"issuer": "https://other.example.com"}])
def test_metadata_of_somebody_else_is_not_used(run: Run, provider: Provider, secret: str, metadata: object) -> None:
    """RFC 8414 §3.3."""
    provider.metadata = metadata
    ended = run("token", "--issuer", provider.issuer, "--client-secret-file", secret)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("The issuer refuses: no_metadata: no document at http://127.0.0.1:")
    assert provider.forms == []


@pytest.mark.parametrize("endpoint", ["http://evil.example.com/token", "", "ftp://127.0.0.1/", 5])
def test_a_secret_is_not_sent_where_the_metadata_should_not_point(
    run: Run, provider: Provider, secret: str, endpoint: object
) -> None:
    """RS-8414-2-a: https, or the loopback that the issuer itself is on."""
    assert isinstance(provider.metadata, dict)
    provider.metadata["token_endpoint"] = endpoint
    ended = run("token", "--issuer", provider.issuer, "--client-secret-file", secret)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("the issuer's token_endpoint ")


def test_a_token_that_is_no_answer_ends_with_a_sentence(run: Run, provider: Provider, secret: str) -> None:
    """A crooked issuer must not end in a traceback."""
    provider.answer = 200, {"token_type": "Bearer"}
    ended = run("token", "--issuer", provider.issuer, "--client-secret-file", secret)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "The issuer refuses: no_token: its answer has no access token\n"

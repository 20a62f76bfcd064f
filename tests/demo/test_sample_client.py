"""The sample client's pages: they need no token, run their own scripts alone, and are what the docs quote."""

import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from resource_server.demo.sample_client import ASSETS, create_sample_client

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "resource_server/static/pages"
ISSUER = "http://127.0.0.1:9000"
NODE = shutil.which("node")


@pytest.fixture
def client() -> TestClient:
    return TestClient(create_sample_client(ISSUER, "public"))


def test_the_page_runs_its_own_script_and_talks_to_its_origin_and_the_issuer_alone(client: TestClient) -> None:
    """T36: a strict policy with a nonce of its own each time, in no frame."""
    first, second = client.get("/app"), client.get("/app")
    policy = first.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert f"connect-src 'self' {ISSUER};" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    [nonce] = re.findall(r"script-src 'nonce-([\w-]+)'", policy)
    assert f'nonce="{nonce}"' in first.text
    assert nonce not in second.text
    assert first.headers["cache-control"] == "no-store"
    assert f'data-issuer="{ISSUER}"' in first.text
    assert 'data-client-id="public"' in first.text


@pytest.mark.parametrize("name", ASSETS)
def test_its_files_are_served(client: TestClient, name: str) -> None:
    """Plain files: what runs is what can be read."""
    response = client.get(f"/app/{name}")
    assert response.status_code == 200
    assert response.content == (PAGES / name).read_bytes()
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["nothing.js", "../swagger/docs.css", "sample_client.html", "%2e%2e/page.py"])
def test_no_other_file_is(client: TestClient, name: str) -> None:
    """A closed list."""
    assert client.get(f"/app/{name}").status_code == 404


@pytest.mark.parametrize(
    "block", re.findall(r"```javascript\n(.*?)```", (ROOT / "docs/clients.md").read_text(), re.DOTALL)
)
def test_what_the_docs_quote_is_what_runs(block: str) -> None:
    """docs/clients.md: the answer to "how should my frontend treat 401 and 403?"."""
    assert textwrap.indent(block, " " * 6) in (PAGES / "api.js").read_text()


def test_no_token_is_put_into_any_storage() -> None:
    """docs/clients.md: the memory of the page, and nowhere else."""
    code = "".join((PAGES / name).read_text() for name in ("api.js", "session.js", "sample_client.js"))
    assert "localStorage" not in code
    assert "cookie" not in code.replace("not in a cookie", "")
    [kept] = re.findall(r"sessionStorage\.setItem\((.*)\);", code)
    assert "oken" not in kept


CHALLENGES = [
    ('Bearer realm="a\\"b, c", scope="a b"', '{"realm":"a\\"b, c","scope":"a b"}'),
    ('DPoP algs="ES256", Bearer realm="x", error=invalid_token', '{"realm":"x","error":"invalid_token"}'),
    ('bearer REALM = "x"', '{"realm":"x"}'),
    ('Negotiate abc==, Bearer realm="x"', '{"realm":"x"}'),
    ('Basic realm="x"', "null"),
    ("", "null"),
    ("Bearer", "{}"),
]


@pytest.mark.skipif(NODE is None, reason="Node.js is not installed")
def test_its_parser_of_challenges_agrees_with_the_standard() -> None:
    """RS-9110-11.6.1-a, RS-9110-11.3-b: several challenges in one field, quoted pairs, a token68 between."""
    assert NODE is not None
    lines = "".join(f"console.log(JSON.stringify(read({field!r})));\n" for field, _ in CHALLENGES)
    script = (
        f'import {{ bearerChallenge }} from "{(PAGES / "challenge.js").as_uri()}";\n'
        f"const read = (field) => bearerChallenge({{ headers: {{ get: () => field }} }});\n{lines}"
    )
    ran = subprocess.run([NODE, "--input-type=module", "-"], input=script, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [expected for _, expected in CHALLENGES]

"""What the development server says about itself, and what it is made of."""

import ast
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

import resource_server.development
from resource_server.development.authorization_server import DevelopmentServer, create_authorization_server
from tests.development.visitor import API, AUDIENCE, ISSUER

FOLDER = Path(resource_server.development.__file__).parent


@pytest.mark.parametrize("name", ["oauth-authorization-server", "openid-configuration"])
async def test_metadata_names_every_endpoint_and_may_be_read_from_anywhere(http: httpx2.AsyncClient, name: str) -> None:
    """RFC 8414 §2 and §3.3, RFC 9207 §3, RFC 7636, RFC 8628 §4 and RFC 9470 §7."""
    answer = await http.get(f"/.well-known/{name}")

    assert answer.headers["access-control-allow-origin"] == "*"
    facts = answer.json()
    AuthorizationServerMetadata(facts).validate()
    assert facts["issuer"] == ISSUER
    assert facts["authorization_endpoint"] == f"{ISSUER}/authorize"
    assert facts["token_endpoint"] == f"{ISSUER}/token"
    assert facts["jwks_uri"] == f"{ISSUER}/jwks.json"
    assert facts["revocation_endpoint"] == f"{ISSUER}/revoke"
    assert facts["introspection_endpoint"] == f"{ISSUER}/introspect"
    assert facts["device_authorization_endpoint"] == f"{ISSUER}/device_authorization"
    everyone = ["client_secret_basic", "client_secret_post", "none"]
    assert facts["token_endpoint_auth_methods_supported"] == everyone
    assert facts["revocation_endpoint_auth_methods_supported"] == everyone
    assert facts["introspection_endpoint_auth_methods_supported"] == everyone[:2]
    assert facts["code_challenge_methods_supported"] == ["S256"]
    assert facts["grant_types_supported"] == [
        "authorization_code",
        "client_credentials",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
    ]
    assert facts["acr_values_supported"] == ["urn:example:password"]
    assert facts["authorization_response_iss_parameter_supported"] is True


async def test_the_key_set_has_no_private_member(http: httpx2.AsyncClient, server: DevelopmentServer) -> None:
    """RFC 7517 §9.2; it may be read from anywhere."""
    answer = await http.get("/jwks.json")

    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json() == server.mint.jwks()
    [key] = answer.json()["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}


def test_keys_and_secrets_are_new_at_each_start_and_in_no_repr() -> None:
    """T34 and T37."""
    first, second = (create_authorization_server(ISSUER, AUDIENCE, api_origin=API) for _ in range(2))

    assert first.mint.keys[0].kid != second.mint.keys[0].kid
    owned = [server.credentials for server in (first, second)]
    kept, other = ({one.client_secret, one.opaque_client_secret, one.api_client_secret} for one in owned)
    assert len(kept | other) == 6
    assert first.credentials.passwords.keys() == {"alice", "eve", "root"}
    assert not set(first.credentials.passwords.values()) & set(second.credentials.passwords.values())
    secrets = [*kept, *first.credentials.passwords.values()]
    assert not [secret for secret in secrets if secret in repr(first)]


@pytest.mark.parametrize(
    "issuer",
    [
        pytest.param("https://id.example.com", id="another-machine"),
        pytest.param("http://127.0.0.1.example.com:9000", id="a-name-that-looks-like-it"),
        pytest.param("http://0.0.0.0:9000", id="every-interface"),
        pytest.param("https://127.0.0.1:9000", id="https"),
        pytest.param("http://127.0.0.1:9000/", id="a-slash-at-the-end"),
        pytest.param("http://user@127.0.0.1:9000", id="userinfo"),
        pytest.param("http://127.0.0.1:port", id="no-port"),
        pytest.param("", id="nothing"),
    ],
)
def test_an_issuer_that_is_not_this_machine_is_not_started(issuer: str) -> None:
    """T34."""
    with pytest.raises(ValueError, match="development"):
        create_authorization_server(issuer, AUDIENCE, api_origin=API)


@pytest.mark.parametrize(
    ("api_origin", "redirect_uri"),
    [
        pytest.param("*", "http://127.0.0.1:8000/", id="any-origin"),
        pytest.param("http://127.0.0.1:8000/", "http://127.0.0.1:8000/", id="origin-with-a-path"),
        pytest.param(API, "/docs/oauth2-redirect", id="relative"),
        pytest.param(API, "javascript:alert(1)", id="script"),
        pytest.param(API, "http://127.0.0.1:8000/#here", id="fragment"),
        pytest.param(API, "http://a:b@127.0.0.1:8000/", id="userinfo"),
        pytest.param(API, "http://127.0.0.1:8000; script-src */", id="would-write-the-policy"),
    ],
)
def test_addresses_that_are_not_what_they_have_to_be_are_refused(api_origin: str, redirect_uri: str) -> None:
    """RFC 6749 §3.1.2 and RFC 9700 §4.1; DESIGN.md: wrong options fail at construction."""
    with pytest.raises(ValueError, match=r"origin|redirect URI"):
        create_authorization_server(ISSUER, AUDIENCE, api_origin=api_origin, redirect_uris=[redirect_uri])


def test_the_folder_imports_nothing_else_of_the_project_and_no_fastapi() -> None:
    """DESIGN.md §3: so a shared mistake can't verify itself."""
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert not name.startswith("fastapi"), file
                assert not name.startswith("resource_server") or name.startswith("resource_server.development."), file


def test_importing_it_makes_no_noise() -> None:
    """Authlib warns where its JOSE is imported; warnings are errors here."""
    program = "import resource_server.development.authorization_server"
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, cwd=FOLDER.parent.parent)

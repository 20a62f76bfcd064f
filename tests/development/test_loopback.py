"""The development server does not leave its machine: T34."""

import httpx2
import pytest

from resource_server.development.authorization_server import DevelopmentServer, create_authorization_server
from tests.development.visitor import API, AUDIENCE, ISSUER

PATHS = [
    "/token",
    "/revoke",
    "/introspect",
    "/device_authorization",
    "/authorize",
    "/device",
    "/jwks.json",
    "/.well-known/oauth-authorization-server",
    "/nowhere",
]


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "localhost:9000", "LOCALHOST:9000", "[::1]:9000"])
async def test_its_own_loopback_names_are_answered(http: httpx2.AsyncClient, host: str) -> None:
    """T34."""
    assert (await http.get("/jwks.json", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("evil.example", id="rebound-name"),
        pytest.param("evil.example:9000", id="rebound-name-with-port"),
        pytest.param("127.0.0.1:9001", id="another-port"),
        pytest.param("127.0.0.1", id="no-port"),
        pytest.param("127.0.0.1:9000.evil.example", id="suffix"),
        pytest.param("127.0.0.1:9000@evil.example", id="userinfo"),
        pytest.param("127.1:9000", id="short-form"),
        pytest.param("192.168.0.1:9000", id="published"),
        pytest.param("", id="nothing"),
    ],
)
@pytest.mark.parametrize("path", PATHS)
async def test_any_other_name_is_misdirected(http: httpx2.AsyncClient, host: str, path: str) -> None:
    """T34: DNS rebinding and port publishing."""
    assert (await http.post(path, headers={"Host": host})).status_code == 421


async def test_two_host_headers_are_misdirected(http: httpx2.AsyncClient) -> None:
    """RFC 9112 §3.2: two readers could choose differently."""
    answer = await http.get("/jwks.json", headers=[("Host", "127.0.0.1:9000"), ("Host", "evil.example")])

    assert answer.status_code == 421


@pytest.mark.parametrize(
    "name",
    [
        "Forwarded",
        "Via",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-New",
        "X-Real-IP",
        "CF-Connecting-IP",
        "True-Client-IP",
        "X-Original-Forwarded-For",
        "X-Envoy-External-Address",
    ],
)
@pytest.mark.parametrize("path", PATHS)
async def test_a_proxy_or_a_tunnel_is_refused(http: httpx2.AsyncClient, name: str, path: str) -> None:
    """T34."""
    assert (await http.get(path, headers={name: "127.0.0.1"})).status_code == 400


@pytest.mark.parametrize(
    ("address", "status"),
    [
        pytest.param("127.0.0.1", 200, id="ipv4"),
        pytest.param("127.8.8.8", 200, id="all-of-127"),
        pytest.param("::1", 200, id="ipv6"),
        pytest.param("::ffff:127.0.0.1", 200, id="mapped"),
        pytest.param("172.17.0.1", 403, id="published-by-docker"),
        pytest.param("::ffff:192.0.2.1", 403, id="mapped-foreign"),
        pytest.param("testclient", 403, id="no-address"),
    ],
)
async def test_only_its_own_machine_is_answered(server: DevelopmentServer, address: str, status: int) -> None:
    """T34: a published port keeps the Host header, but not the client's address."""
    transport = httpx2.ASGITransport(server.app, client=(address, 1))
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as http:
        assert (await http.get("/jwks.json")).status_code == status


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
@pytest.mark.parametrize(("port", "base"), [(":9000", "http://{}:9000"), ("", "http://{}"), (":80", "http://{}:80")])
async def test_every_loopback_issuer_issues(host: str, port: str, base: str) -> None:
    """Authlib wants https or loopback, and gets it without a switch in the environment."""
    issuer = f"http://{host}{port}"
    server = create_authorization_server(issuer, AUDIENCE, api_origin=API)
    credentials = server.credentials
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(server.app), base_url=base.format(host)) as http:
        answer = await http.post(
            "/token",
            data={"grant_type": "client_credentials"},
            auth=(credentials.client_id, credentials.client_secret),
        )
        metadata = await http.get("/.well-known/oauth-authorization-server")

    assert answer.status_code == 200
    assert metadata.json()["issuer"] == issuer


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "DELETE"])
async def test_every_answer_has_the_security_headers(http: httpx2.AsyncClient, method: str, path: str) -> None:
    """T34 and T36; and nothing from outside is a 500."""
    for headers in ({}, {"Host": "evil.example"}, {"Forwarded": "for=x"}):
        answer = await http.request(method, path, headers=headers)

        assert answer.status_code < 500
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in answer.headers["content-security-policy"]

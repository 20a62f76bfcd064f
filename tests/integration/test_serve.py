"""``serve`` over real sockets: every route of the bundled API, and what each answer says beside its status."""

import json
from typing import Any

import pytest

from tests.integration.exchange import METADATA, Answer, bearer, connect, parse, read, send
from tests.integration.key_server import KeyServer
from tests.integration.serving import Served

JSON = "Content-Type: application/json"
ORDER = b'{"item":"lamp","quantity":2}'
PROFILE = b'{"display_name":"Alice"}'


def call(served: Served, keys: KeyServer, method: str, target: str, body: bytes = b"", **claims: Any) -> Answer:
    token = keys.mint.access_token(**claims)
    return send(served.port, method, target, bearer(token), *[JSON] * bool(body), body=body)


@pytest.mark.parametrize(
    ("method", "target", "claims", "body", "status"),
    [
        pytest.param("GET", "/api/v1/users", {"scope": "users:read"}, b"", 200, id="users"),
        pytest.param(
            "PUT", "/api/v1/users/alice/profile", {"scope": "profile:write"}, PROFILE, 200, id="one's own profile"
        ),
        pytest.param("PUT", "/api/v1/users/eve/profile", {"roles": ["admin"]}, PROFILE, 200, id="a profile, as admin"),
        pytest.param("GET", "/api/admin/users", {"roles": ["admin"]}, b"", 200, id="users, as admin"),
        pytest.param("GET", "/admin/posts", {"roles": ["editor"]}, b"", 200, id="posts, as editor"),
        pytest.param("GET", "/admin/posts", {"roles": ["customer", "admin"]}, b"", 200, id="posts, as admin"),
        pytest.param("GET", "/admin/settings", {"roles": ["admin"]}, b"", 200, id="settings"),
        pytest.param("GET", "/admin/dashboard", {"roles": ["admin"]}, b"", 200, id="dashboard"),
        pytest.param("GET", "/orders", {"scope": "profile:write orders:read"}, b"", 200, id="orders"),
        pytest.param("POST", "/orders", {"scope": "orders:write"}, ORDER, 201, id="a new order"),
    ],
)
def test_a_route_is_open_to_whom_it_is_meant_for(
    served: Served, keys: KeyServer, method: str, target: str, claims: dict[str, Any], body: bytes, status: int
) -> None:
    """DESIGN §6; RS-9111-3.5-a, T31: an authorized answer is for its caller alone."""
    answer = call(served, keys, method, target, body, **claims)
    assert answer.status == status
    assert answer.challenges == []
    assert answer.all("cache-control") == ["private"]
    assert answer.all("content-type") == ["application/json"]


def test_me_says_what_the_token_says(served: Served, keys: KeyServer) -> None:
    """DESIGN §6: any valid token."""
    now = int(keys.mint.clock())
    answer = call(served, keys, "GET", "/api/v1/me", scope="b a", roles=["y", "x"], exp=now + 100, sub="bob")
    assert answer.status == 200
    assert answer.body == {
        "sub": "bob",
        "client_id": "example-client",
        "scope": "a b",
        "iss": keys.issuer,
        "roles": ["x", "y"],
        "exp": now + 100,
    }


@pytest.mark.parametrize(
    ("target", "body"),
    [
        pytest.param("/healthz", {"status": "ok"}, id="healthz"),
        pytest.param("/readyz", {"status": "ready"}, id="readyz"),
    ],
)
def test_health_needs_no_token(served: Served, target: str, body: object) -> None:
    """DESIGN §6."""
    answer = send(served.port, "GET", target)
    assert (answer.status, answer.body, answer.challenges) == (200, body, [])


def test_the_metadata_is_where_the_challenge_says(served: Served, keys: KeyServer) -> None:
    """RFC 9728 §3: at the well-known path, for anybody, from any origin."""
    answer = send(served.port, "GET", "/.well-known/oauth-protected-resource", "Origin: https://page.example")
    assert answer.status == 200
    assert answer.all("content-type") == ["application/json"]
    assert answer.all("access-control-allow-origin") == ["*"]
    assert answer.body["resource"] == "https://api.example.com"
    assert answer.body["authorization_servers"] == [keys.issuer]
    assert answer.body["bearer_methods_supported"] == ["header"]


@pytest.mark.parametrize("target", ["/docs", "/openapi.json", "/redoc"])
def test_the_pages_are_off_unless_docs_says_otherwise(served: Served, keys: KeyServer, target: str) -> None:
    """T38: a stranger can't tell them from any unknown path."""
    assert send(served.port, "GET", target) == send(served.port, "GET", "/no-such-path")
    assert call(served, keys, "GET", target).status == 404


@pytest.mark.parametrize(
    ("target", "claims", "status"),
    [
        pytest.param("/orders", {"scope": "orders:read"}, 200, id="200"),
        pytest.param("/orders", {}, 403, id="403"),
        pytest.param("/orders", {"exp": 0}, 401, id="401"),
        pytest.param("/healthz", {}, 200, id="public"),
        pytest.param("/unknown", {}, 404, id="404"),
    ],
)
def test_head_is_answered_like_get_without_the_content(
    served: Served, keys: KeyServer, target: str, claims: dict[str, Any], status: int
) -> None:
    """RS-9110-9.3.2-a: the same fields, the challenge among them."""
    get, head = (call(served, keys, method, target, **claims) for method in ("GET", "HEAD"))
    assert (get.status, head.status) == (status, status)
    assert head.content == b""
    assert get.content != b""
    assert dated(head) == dated(get)


def dated(answer: Answer) -> list[tuple[str, str]]:
    """The fields, but for the second in which they were sent."""
    return [(name, "now" if name == "date" else value) for name, value in answer.fields]


@pytest.mark.parametrize("target", ["/healthz", "/orders", "/unknown"])
def test_no_answer_names_the_server(served: Served, target: str) -> None:
    """T29: `server_header=False`; the clock, however, is told (RFC 9110 §6.6.1)."""
    answer = send(served.port, "GET", target)
    assert answer.all("server") == []
    assert len(answer.all("date")) == 1


def test_a_scheme_is_matched_without_regard_to_case(served: Served, keys: KeyServer) -> None:
    """RS-9110-11.1-a."""
    token = keys.mint.access_token(scope="orders:read")
    for scheme in ("bearer", "BEARER", "bEaReR"):
        assert send(served.port, "GET", "/orders", f"Authorization: {scheme} {token}").status == 200


def test_a_token_comes_in_by_no_trailer(served: Served, keys: KeyServer) -> None:
    """RFC 9110 §6.5.1: a field behind the body is no header field."""
    token = keys.mint.access_token(scope="orders:write")
    head = ["POST /orders HTTP/1.1", "Host: a", JSON, "Transfer-Encoding: chunked", "Trailer: Authorization"]
    chunks = [f"{len(ORDER):x}", ORDER.decode(), "0", bearer(token), "", ""]
    with connect(served.port) as connection:
        connection.sendall("\r\n".join([*head, "", *chunks]).encode())
        answer = parse(read(connection))
    assert answer.status == 401
    metadata = f'resource_metadata="{METADATA}"'
    assert answer.challenges == [f'Bearer realm="api", scope="orders:write", {metadata}']


def test_many_requests_share_a_connection(served: Served, keys: KeyServer) -> None:
    """RFC 9112 §9.3: a refusal without a body to skip keeps the connection."""
    token = keys.mint.access_token(scope="orders:read")
    plain = b"GET /orders HTTP/1.1\r\nHost: a\r\n"
    last = plain + f"{bearer(token)}\r\nConnection: close\r\n\r\n".encode()
    with connect(served.port) as connection:
        connection.sendall(plain + b"\r\n" + plain + f"{bearer('broken')}\r\n\r\n".encode() + last)
        answers = read(connection).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"401", b"401", b"200"]
    assert json.loads(answers[-1].partition(b"\r\n\r\n")[2])[0]["item"] == "lamp"

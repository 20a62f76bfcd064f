"""What ``serve`` writes about its requests: the audit on standard output, the access log on standard error."""

import hashlib
import hmac
from typing import Any

from resource_server.development.minting import SigningKey
from tests.integration.exchange import bearer, connect, parse, read, send
from tests.integration.identity_provider import API
from tests.integration.key_server import KeyServer
from tests.integration.serving import serving

JSON = "Content-Type: application/json"
CANARY = "canary9f3b"


def test_each_refusal_is_one_line_of_the_audit_and_a_grant_is_none(keys: KeyServer) -> None:
    """T35, T10: the digest is keyed by the deployment's key; fields that nobody vouches for are missing."""
    with serving(ISSUER=keys.issuer, AUDIENCE=API, AUDIT_KEY="key of this deployment") as served:
        good = keys.mint.access_token(scope="orders:read", sub="bob")
        broken = keys.mint.access_token(key=SigningKey("ES256", SigningKey.generate().private_key, "x"), sub=CANARY)
        send(served.port, "GET", "/orders", bearer(good))
        send(served.port, "GET", "/orders?access_token=x")
        send(served.port, "POST", "/orders", bearer(good), JSON, body=b"{}")
        send(served.port, "GET", "/admin/dashboard", bearer(good))
        send(served.port, "GET", "/healthz")
        send(served.port, "GET", "/api/v1/me", bearer(broken))
        send(served.port, "PUT", "/api/v1/users/eve/profile")
    verified = {"issuer": keys.issuer, "subject": "bob", "client_id": "example-client", "token": digest(good)}
    common = {"event": "refused", "client": "127.0.0.1"}
    told = [{name: value for name, value in line.items() if name not in ("time", "reason")} for line in served.audit]
    assert told == [
        {**common, "status": 401, "kind": "credentials_in_query", "method": "GET", "route": "/orders"},
        {**common, "status": 403, "kind": "insufficient_scope", "method": "POST", "route": "/orders", **verified},
        {**common, "status": 403, "kind": "missing_role", "method": "GET", "route": "/admin/dashboard", **verified},
        {
            **common,
            "status": 401,
            "kind": "unknown_key",
            "method": "GET",
            "route": "/api/v1/me",
            "token": digest(broken),
        },
        {
            **common,
            "status": 401,
            "kind": "no_credentials",
            "method": "PUT",
            "route": "/api/v1/users/{user_id}/profile",
        },
    ]


def digest(token: str) -> str:
    plain = hashlib.sha256(token.encode()).digest()
    return hmac.new(b"key of this deployment", plain, hashlib.sha256).hexdigest()[:16]


def test_the_access_log_has_every_request_without_its_query(keys: KeyServer) -> None:
    """T37."""
    with serving(ISSUER=keys.issuer, AUDIENCE=API) as served:
        send(served.port, "GET", "/healthz?a=b")
        send(served.port, "GET", f"/orders?access_token={CANARY}")
        send(served.port, "HEAD", "/orders")
        send(served.port, "GET", "/a%0d%0aGET%20/forged%20200%1b[31m%e2%80%ae")
    assert served.access_log == [
        "GET /healthz 200",
        "GET /orders 401",
        "HEAD /orders 401",
        r"GET /a\r\nGET /forged 200\x1b[31m\u202e 401",
    ]
    assert served.err.text.isascii()
    assert "\x1b" not in served.err.text


def test_the_audit_can_be_turned_off(keys: KeyServer) -> None:
    """DESIGN §5."""
    with serving(ISSUER=keys.issuer, AUDIENCE=API, AUDIT="false") as served:
        assert send(served.port, "GET", "/orders").status == 401
    assert served.out.text == ""


def test_no_byte_of_a_token_is_written_anywhere(keys: KeyServer) -> None:
    """RS-6750-5.3-a, T35: through every failure, in every place that a token can stand."""
    forged = SigningKey("ES256", SigningKey.generate().private_key, keys.mint.keys[0].kid)
    unverified: dict[str, Any] = {"sub": CANARY, "client_id": CANARY, "scope": CANARY, "jti": CANARY}
    other = {"kid": CANARY, "jku": f"https://{CANARY}.example", "x": CANARY}
    tokens = [
        keys.mint.access_token(key=forged, **unverified),
        keys.mint.access_token(**{**unverified, "iss": f"https://{CANARY}.example"}),
        keys.mint.access_token(**{**unverified, "aud": "https://other.example.com"}),
        keys.mint.access_token(header=other, **unverified),
        keys.mint.access_token(header={"typ": CANARY}, **unverified),
        keys.mint.access_token(header={"alg": CANARY}, **unverified),
        keys.mint.access_token(header={"crit": [CANARY], CANARY: 1}, **unverified),
        keys.mint.access_token(**{**unverified, "exp": CANARY}),
        keys.mint.access_token(jti=CANARY),
        keys.mint.access_token(jti=CANARY, exp=0),
        keys.mint.access_token(jti=CANARY, cnf={"jkt": CANARY}),
        CANARY * 3,
        f"{CANARY}.{CANARY}.{CANARY}",
    ]
    with serving(ISSUER=keys.issuer, AUDIENCE=API) as served:
        for token in tokens:
            for fields, target in [
                ([bearer(token)], "/admin/dashboard"),
                ([bearer(token), bearer(token)], "/orders"),
                ([f"Authorization: Bearer {token} {token}"], "/orders"),
                ([f"Authorization: {token}"], "/orders"),
                ([f"Authorization: Basic {token}"], "/orders"),
                ([f"DPoP: {token}", f"Cookie: a={token}", f"{token[:20]}: {token}"], "/orders"),
                ([], f"/orders?access_token={token}&{token}"),
            ]:
                answer = send(served.port, "GET", target, *fields)
                assert CANARY.encode() not in answer.content + repr(answer.fields).encode()
        send(served.port, "POST", "/orders", JSON, body=tokens[0].encode())
    written = served.out.text + served.err.text
    assert {line["kind"] for line in served.audit} == {
        "bad_signature",
        "credentials_in_query",
        "expired",
        "invalid_claim",
        "malformed_credentials",
        "malformed_token",
        "missing_role",
        "no_credentials",
        "repeated_credentials",
        "unconfirmed_token",
        "unknown_key",
        "unsupported_scheme",
        "wrong_algorithm",
        "wrong_audience",
        "wrong_issuer",
        "wrong_token_type",
    }
    assert CANARY not in written
    for part in {part for token in tokens for part in token.split(".") if len(part) > 20}:
        assert part not in written


def test_a_flood_of_one_refusal_is_ten_lines_a_second_and_a_count(keys: KeyServer) -> None:
    """T35: aggregated above 10/s, however long the flood."""
    with serving(ISSUER=keys.issuer, AUDIENCE=API) as served:
        for _ in range(200):
            assert send(served.port, "GET", "/orders").status == 401
    lines = [line for line in served.audit if line["event"] == "refused"]
    counted = sum(line["count"] for line in served.audit if line["event"] == "refused_more")
    assert len(lines) + counted == 200
    seconds = len({line["time"][:19] for line in lines}) + 1
    assert len(lines) <= 10 * seconds


def test_a_websocket_without_a_token_is_refused_at_its_handshake_and_written_down(keys: KeyServer) -> None:
    """Ruling 34: HTTP 401 with the challenge, before the protocol changes."""
    handshake = [
        "GET /orders/socket HTTP/1.1",
        "Host: a",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    with serving(ISSUER=keys.issuer, AUDIENCE=API) as served, connect(served.port) as connection:
        connection.sendall("\r\n".join([*handshake, "", ""]).encode())
        answer = parse(read(connection))
    assert (answer.status, answer.challenges) == (401, ['Bearer realm="api", scope="orders:read"'])
    assert answer.all("server") == []
    assert [(line["kind"], line["route"]) for line in served.audit] == [("no_credentials", "/orders/socket")]

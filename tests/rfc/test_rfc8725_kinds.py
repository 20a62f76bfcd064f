"""RFC 8725 §3.11 to §3.15: which kind of JWT it is, and how large it may be."""

import json
import time as real
import zlib
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import OctKey

from resource_server.development.minting import OMIT
from tests.rfc.checklist import requirement
from tests.rfc.probe import Probe
from tests.rfc.tokens import claims, compact

OTHER_TYPES = [
    pytest.param(OMIT, id="missing"),
    "JWT",
    "jwt",
    "dpop+jwt",
    "logout+jwt",
    "secevent+jwt",
    "id_token+jwt",
    "token-introspection+jwt",
    "statuslist+jwt",
    "dc+sd-jwt",
    "vp+sd-jwt",
    "client-authentication+jwt",
    "oauth-authz-req+jwt",
    "entity-statement+jwt",
    "at",
    "jwt+at",
    "at+jwt;v=2",
    "at+jwt ",
    " at+jwt",
    "application/at+jwt/",
    "application/application/at+jwt",
    "text/at+jwt",
    "/at+jwt",
    "at+jwtx",
    "",
]


@requirement("RS-8725-3.11-a")
@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "At+Jwt", "application/at+jwt", "Application/AT+JWT"])
async def test_rs_8725_3_11_a_an_access_token_says_so(small: Probe, typ: str) -> None:
    """RFC 8725 §3.11; RFC 7515 §4.1.9: without regard to case, application/ may be left out."""
    assert await small.status(small.token(header={"typ": typ})) == 200


@requirement("RS-8725-3.11-a")
@pytest.mark.parametrize("typ", [*OTHER_TYPES, None, 1, True, ["at+jwt"], {"at+jwt": 1}])
async def test_rs_8725_3_11_a_what_says_something_else_is_refused(small: Probe, typ: object) -> None:
    """RFC 8725 §3.11."""
    assert await small.status(small.token(header={"typ": typ})) == 401


NOW = 1_800_000_000
EVENTS: dict[str, object] = {"http://schemas.openid.net/event/backchannel-logout": {}}
KINDS: dict[str, tuple[str | None, dict[str, Any]]] = {
    "id-token": ("JWT", {"nonce": "n", "at_hash": "h", "azp": "example-client", "auth_time": NOW}),
    "id-token-without-a-mark": (None, {"azp": "example-client", "sid": "s", "roles": ["admin"]}),
    "logout-token": ("logout+jwt", {"events": EVENTS, "sid": "s"}),
    "security-event": ("secevent+jwt", {"events": {"https://schemas.openid.net/secevent/risc/x": {}}}),
    "introspection-answer": (
        "token-introspection+jwt",
        {"token_introspection": {"active": True, "scope": "orders:read"}},
    ),
    "dpop-proof": ("dpop+jwt", {"htm": "GET", "htu": "https://api.example.com/orders"}),
    "client-assertion": ("JWT", {"iss": "https://id.example.com"}),
    "authorization-request": ("oauth-authz-req+jwt", {"response_type": "code"}),
    "userinfo-answer": ("JWT", {"email": "alice@example.com"}),
    "status-list": ("statuslist+jwt", {"status_list": {"bits": 1, "lst": "eNpj"}}),
    "refresh-token": ("rt+jwt", {}),
    "verifiable-credential": ("dc+sd-jwt", {"vct": "x", "_sd_alg": "sha-256"}),
}


@requirement("RS-8725-3.12-a")
@pytest.mark.parametrize("kind", KINDS)
async def test_rs_8725_3_12_a_no_other_kind_of_jwt_is_an_access_token(small: Probe, kind: str) -> None:
    """RFC 8725 §3.12; T18: the worst case has all claims of an access token, and the issuer's own signature."""
    typ, marks = KINDS[kind]
    payload = claims(small, **marks)
    said = {} if typ is None else {"typ": typ}
    assert await small.status(small.issuer.mint.sign(payload, {"typ": "at+jwt"})) == 200
    assert await small.status(small.issuer.mint.sign(payload, said)) == 401


@requirement("RS-8725bis-3.13-a")
async def test_rs_8725bis_3_13_a_a_password_that_is_stretched_for_ever_is_refused_at_once(small: Probe) -> None:
    """rfc8725bis §3.13, CVE-2023-50967: a p2c of a thousand million."""
    for p2c in (1_000_000_000, 2**63, 1):
        token = compact({"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2s": "c2FsdA", "p2c": p2c}, {}, b"x") + ".x.x"
        began = real.perf_counter()
        assert await small.status(token) == 401
        assert await small.status(token.rpartition("..")[0] or token[:-4]) == 401
        assert real.perf_counter() - began < 1


@requirement("RS-8725bis-3.14-a")
@pytest.mark.parametrize(
    "character", ["{", "}", '"', " ", "\t", "\n", "+", "/", "=", "~", ",", ":", "[", "%", "\x00", "é", "\u200b"]
)
async def test_rs_8725bis_3_14_a_a_token_is_of_base64url_and_periods(small: Probe, character: str) -> None:
    """rfc8725bis §3.14: wherever the other character stands."""
    token = small.token()
    for at in (1, len(token) // 2, len(token)):
        value = f"Bearer {token[:at]}{character}{token[at:]}".encode()
        response = await small.ask(headers=[("authorization", value)])
        if character in " \t" and at == len(token):
            continue  # white space around a field's value is not part of it (RFC 9110 §5.5)
        assert response.status_code in (400, 401), at


@requirement("RS-8725bis-3.15-a")
async def test_rs_8725bis_3_15_a_nothing_is_inflated(small: Probe) -> None:
    """rfc8725bis §3.15: neither an encrypted token's content nor a signed one's."""
    key = OctKey.import_key(b"k" * 16)
    said = {"alg": "dir", "enc": "A128GCM", "typ": "at+jwt"}
    bomb = jwe.encrypt_compact(said | {"zip": "DEF"}, b"a" * 200_000, key, algorithms=["dir", "A128GCM", "DEF"])
    deflated = zlib.compress(b'{"sub": "alice"}' * 10_000)
    signed = small.issuer.mint.sign(deflated, {"typ": "at+jwt", "zip": "DEF"})
    assert [await small.status(token) for token in (bomb, signed)] == [401, 401]


@requirement("RS-JOSE-x-a")
async def test_rs_jose_x_a_a_large_header_is_read_and_a_huge_one_is_not(small: Probe) -> None:
    """A ruling: a header with a certificate chain has some thousand bytes; joserfc alone stops at 512."""
    for size, status in ((512, 200), (4096, 200), (6000, 200), (9000, 401)):
        assert await small.status(small.token(header={"x5c": ["M" * size]})) == status, size
    assert await small.status(small.token(groups=["g" * 20] * 200)) == 200
    assert await small.status(small.token(filler="x" * 16 * 1024)) == 431


@requirement("RS-JOSE-x-a")
async def test_rs_jose_x_a_a_deep_or_crowded_payload_is_refused(small: Probe) -> None:
    """A ruling; T28: where the interpreter would give up, 401 and not 500."""
    mint = small.issuer.mint
    for depth, status in ((20, 200), (40, 401), (2000, 401)):
        deep = b'{"x":' + b"[" * depth + b"]" * depth + b"," + small_payload(small)
        assert await small.status(mint.sign(deep, {"typ": "at+jwt"})) == status, depth
    for members, status in ((100, 200), (300, 401)):
        assert await small.status(small.token(**{f"m{number}": 1 for number in range(members)})) == status, members


def small_payload(api: Probe) -> bytes:
    """The members of a good payload, with the closing brace."""
    return json.dumps(claims(api)).encode()[1:]

"""RFC 7515: the signed token's form."""

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from resource_server.development.minting import SigningKey
from tests.rfc.checklist import requirement
from tests.rfc.probe import Probe
from tests.rfc.tokens import base64url, claims, compact, header

FORGER = SigningKey.generate("ES256")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@requirement("RS-7515-4-a")
@pytest.mark.parametrize(
    "unknown",
    [
        pytest.param({"foo": 1}, id="number"),
        pytest.param({"foo": {"bar": [None, True]}}, id="object"),
        pytest.param({"x5t": "a", "x5t#S256": "b", "cty": "c", "epk": {}, "zip": "DEF"}, id="of-other-uses"),
        pytest.param({"ALG": "none", "Kid": "other", "TYP": "JWT"}, id="in-another-case"),
        pytest.param({"": ""}, id="without-a-name"),
    ],
)
async def test_rs_7515_4_a_header_parameters_that_are_not_understood_are_ignored(
    small: Probe, unknown: dict[str, object]
) -> None:
    """RFC 7515 §4."""
    assert await small.status(small.token(header=unknown)) == 200


@requirement("RS-7515-4.1.11-a")
@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"crit": ["foo"], "foo": 1}, id="not-understood"),
        pytest.param({"crit": []}, id="empty"),
        pytest.param({"crit": ["foo", "foo"], "foo": 1}, id="repeated"),
        pytest.param({"crit": ["alg"]}, id="registered"),
        pytest.param({"crit": ["typ", "kid"]}, id="registered-ones"),
        pytest.param({"crit": ["foo"]}, id="absent"),
        pytest.param({"crit": ["exp"], "exp": 1_900_000_000}, id="claim"),
        pytest.param({"crit": ["b64"], "b64": True}, id="b64-true"),
        pytest.param({"crit": ["b64"], "b64": False}, id="b64-false"),
        pytest.param({"b64": False}, id="b64-without-crit"),
        pytest.param({"crit": "foo", "foo": 1}, id="text"),
        pytest.param({"crit": None}, id="null"),
        pytest.param({"crit": {"foo": 1}, "foo": 1}, id="object"),
        pytest.param({"crit": [1]}, id="number-inside"),
    ],
)
async def test_rs_7515_4_1_11_a_a_critical_parameter_that_is_not_understood_spoils_the_token(
    small: Probe, members: dict[str, object]
) -> None:
    """RFC 7515 §4.1.11; RFC 7797 for b64."""
    assert await small.status(small.token(header=members)) == 401


@requirement("RS-7515-4.1.2-a")
@pytest.mark.parametrize("kid", ["own", "known", "unknown"])
async def test_rs_7515_4_1_2_a_a_token_cannot_bring_its_own_key(small: Probe, kid: str) -> None:
    """RFC 7515 §4.1.3, RFC 8725 §3.10: its jwk or x5c is not trusted, whatever kid it names."""
    kids = {"own": FORGER.kid, "known": small.issuer.mint.keys[0].kid, "unknown": "x"}
    brought = {"jwk": FORGER.public_jwk, "x5c": ["MIIB"], "kid": kids[kid]}
    forged = small.issuer.mint.sign(claims(small), {"typ": "at+jwt"} | brought, key=FORGER)
    assert await small.status(forged) == 401
    assert await small.status(small.token(header={"jwk": FORGER.public_jwk})) == 200


@requirement("RS-7515-4.1.2-a")
@pytest.mark.parametrize("member", ["jku", "x5u"])
async def test_rs_7515_4_1_2_a_a_url_in_a_token_is_not_fetched(small: Probe, member: str) -> None:
    """RFC 7515 §4.1.2, RFC 8725 §3.10: neither for a good signature nor for a forged one."""
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.setblocking(False)
        url = f"http://127.0.0.1:{canary.getsockname()[1]}/jwks"
        good = small.token(header={member: url})
        forged = small.issuer.mint.access_token(key=FORGER, header={member: url})
        assert [await small.status(token) for token in (good, forged)] == [200, 401]
        with pytest.raises(BlockingIOError):
            canary.accept()
    assert all(request.startswith(small.issuer.url) for request in small.issuer.requests)


@requirement("RS-7515-5.2-a")
@pytest.mark.parametrize(
    "respell",
    [
        pytest.param(lambda part: part + "=", id="padding"),
        pytest.param(lambda part: part + "==", id="more-padding"),
        pytest.param(lambda part: part[:5] + " " + part[5:], id="space"),
        pytest.param(lambda part: part[:5] + "\r\n " + part[5:], id="line-break"),
        pytest.param(lambda part: part + "\n", id="last-line-end"),
        pytest.param(lambda part: part[:-1] + ALPHABET[ALPHABET.index(part[-1]) + 1], id="spare-bits"),
        pytest.param(lambda part: part[:-1], id="one-character-less"),
        pytest.param(lambda part: part + "+", id="standard-alphabet"),
        pytest.param(lambda part: part + "*", id="no-alphabet"),
        pytest.param(lambda _part: "", id="empty"),
    ],
)
@pytest.mark.parametrize("which", [0, 1, 2])
async def test_rs_7515_5_2_a_a_part_has_one_spelling(small: Probe, which: int, respell: Callable[[str], str]) -> None:
    """RFC 7515 §5.2, RFC 4648 §3.5: a lax decoder would find the same bytes, and the signature is over the text."""
    parts = [_with_spare_bits(header(small)), _with_spare_bits(claims(small))]
    assert await small.status(_sign_as_it_is(small, parts)) == 200
    if which < 2:
        parts[which] = respell(parts[which])
        token = _sign_as_it_is(small, parts)
    else:
        signed, _, signature = _sign_as_it_is(small, parts).rpartition(".")
        token = f"{signed}.{respell(signature)}"
    assert (await small.ask(token=token)).status_code in (400, 401)


def _with_spare_bits(members: dict[str, Any]) -> str:
    """Encode, with a member to fill up, so that the last character has bits to spare."""
    texts = (base64url(json.dumps(members | {"fill": "x" * size}).encode()) for size in range(3))
    return next(text for text in texts if len(text) % 4 == 2)


def _sign_as_it_is(api: Probe, parts: list[str]) -> str:
    signing_input = ".".join(parts)
    return f"{signing_input}.{base64url(api.issuer.mint.keys[0].sign(signing_input.encode()))}"


@requirement("RS-7515-5.2-a")
async def test_rs_7515_5_2_a_a_token_has_exactly_three_parts(small: Probe) -> None:
    """RFC 7515 §5.2, §7.1."""
    first, payload, signature = small.token().split(".")
    for parts in ([first], [first, payload], [first, payload, signature, ""], ["", first, payload, signature]):
        assert await small.status(".".join(parts)) == 401
    assert await small.status(".".join([first, payload, signature, "A", "A"])) == 401


@requirement("RS-7515-5.2-a")
async def test_rs_7515_5_2_a_the_json_serialization_is_no_token(small: Probe) -> None:
    """RFC 7515 §7.2: neither form of it."""
    first, payload, signature = small.token().split(".")
    flattened = {"protected": first, "payload": payload, "signature": signature}
    general = {"payload": payload, "signatures": [{"protected": first, "signature": signature}]}
    for value in (flattened, general):
        for text in (json.dumps(value), base64url(json.dumps(value).encode())):
            assert (await small.ask(token=text)).status_code in (400, 401)


@requirement("RS-7515-4-b")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param('"aud":', '"aud": "https://other.example.com", "aud":', id="aud-bad-first"),
        pytest.param('"scope":', '"scope": "orders:read", "scope":', id="scope-the-same-twice"),
        pytest.param('"exp":', '"ex\\u0070": 1, "exp":', id="exp-escaped"),
        pytest.param('"jti":', '"act": {"sub": "a", "sub": "b"}, "jti":', id="nested"),
        pytest.param('"jti":', '"x": [{"y": 1, "y": 1}], "jti":', id="nested-in-an-array"),
    ],
)
async def test_rs_7515_4_b_a_claim_that_occurs_twice_spoils_the_token(small: Probe, old: str, new: str) -> None:
    """RFC 7519 §4; by a ruling refused, and not the last one taken."""
    text = json.dumps(claims(small))
    assert await small.status(_signed(small, text)) == 200
    assert await small.status(_signed(small, text.replace(old, new, 1))) == 401


@requirement("RS-7515-4-b")
@pytest.mark.parametrize("name", ["alg", "kid", "typ", "foo"])
async def test_rs_7515_4_b_a_header_parameter_that_occurs_twice_spoils_the_token(small: Probe, name: str) -> None:
    """RFC 7515 §4."""
    said = header(small, foo=1)
    text = json.dumps(said)
    twice = f"{{{json.dumps(name)}: {json.dumps(said[name])}, {text[1:]}"
    payload = json.dumps(claims(small)).encode()
    assert await small.status(small.issuer.mint.sign(payload, text.encode())) == 200
    assert await small.status(small.issuer.mint.sign(payload, twice.encode())) == 401


def _signed(api: Probe, payload: str) -> str:
    return api.issuer.mint.sign(payload.encode(), {"typ": "at+jwt"})


@requirement("RS-7515-5.2-a")
async def test_rs_7515_5_2_a_a_signature_is_needed(small: Probe) -> None:
    """RFC 7515 §5.2 no. 8."""
    first, payload, signature = small.token().split(".")
    for value in ("", "AA", signature[:-2], "A" * len(signature), signature[::-1]):
        assert await small.status(f"{first}.{payload}.{value}") == 401, value
    assert await small.status(compact(header(small), claims(small), b"\x00" * 64)) == 401

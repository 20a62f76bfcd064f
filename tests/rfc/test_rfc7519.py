"""RFC 7519: the claims that every JWT may have, and the order in which it is taken apart."""

import json
import math
from typing import Any

import pytest

from resource_server import ConfigurationError
from resource_server.development.minting import OMIT
from resource_server.issuers.issuer import Issuer
from tests.rfc.checklist import requirement
from tests.rfc.probe import ORIGIN, Probe
from tests.rfc.tokens import claims

NO_TIMES = [
    pytest.param("1800000100", id="text"),
    pytest.param(True, id="true"),
    pytest.param(None, id="null"),
    pytest.param([1_800_000_100], id="array"),
    pytest.param({"value": 1_800_000_100}, id="object"),
    pytest.param(math.nan, id="nan"),
    pytest.param(math.inf, id="infinity"),
    pytest.param(-math.inf, id="minus-infinity"),
    pytest.param("", id="empty"),
]


async def status_of_json(api: Probe, payload: str | bytes) -> int:
    """The status of a well-signed token with a payload that is written by hand."""
    raw = payload.encode() if isinstance(payload, str) else payload
    return await api.status(api.issuer.mint.sign(raw, {"typ": "at+jwt"}))


@requirement("RS-7519-4.1.3-a")
@pytest.mark.parametrize(
    ("aud", "status"),
    [
        pytest.param(ORIGIN, 200, id="text"),
        pytest.param([ORIGIN], 200, id="array"),
        pytest.param(["https://other.example.com", ORIGIN], 200, id="array-of-several"),
        pytest.param([], 401, id="empty-array"),
        pytest.param("", 401, id="empty-text"),
        pytest.param(5, 401, id="number"),
        pytest.param({ORIGIN: True}, 401, id="object"),
        pytest.param(None, 401, id="null"),
        pytest.param([[ORIGIN]], 401, id="array-in-an-array"),
        pytest.param([ORIGIN, 5], 401, id="array-with-a-number"),
        pytest.param("https://other.example.com", 401, id="other"),
        pytest.param(ORIGIN + "/", 401, id="trailing-slash"),
        pytest.param(ORIGIN[:-1], 401, id="shorter"),
        pytest.param(ORIGIN + ".evil.example", 401, id="longer"),
        pytest.param(ORIGIN.upper(), 401, id="in-another-case"),
        pytest.param(ORIGIN + ":443", 401, id="port"),
        pytest.param(f" {ORIGIN}", 401, id="space"),
        pytest.param(f"{ORIGIN} https://other.example.com", 401, id="several-in-one-text"),
        pytest.param("*", 401, id="wildcard"),
    ],
)
async def test_rs_7519_4_1_3_a_the_audience_must_contain_us(small: Probe, aud: object, status: int) -> None:
    """RFC 7519 §4.1.3."""
    assert await small.status(small.token(aud=aud)) == status


@requirement("RS-7519-4.1.4-a")
@pytest.mark.parametrize("leeway", [0, 30, 60])
async def test_rs_7519_4_1_4_a_at_its_expiry_a_token_is_refused(small: Probe, leeway: int) -> None:
    """RFC 7519 §4.1.4: on or after; both as a new token and as one that is remembered."""
    api, now = small.but(trust={"leeway": leeway}), int(small.time.wall)
    assert [await api.status(api.token(exp=now - leeway + more)) for more in (1, 0, -1)] == [200, 401, 401]
    lasting = api.token(exp=now + 10)
    assert await api.status(lasting) == 200
    for seconds, status in ((9 + leeway, 200), (1, 401)):
        api.time.turn(seconds)
        assert await api.status(lasting) == status


@requirement("RS-7519-4.1.4-a")
@pytest.mark.parametrize("exp", [*NO_TIMES, pytest.param(OMIT, id="absent"), pytest.param(-1, id="negative")])
async def test_rs_7519_4_1_4_a_an_expiry_is_a_number(small: Probe, exp: object) -> None:
    """RFC 7519 §4.1.4."""
    assert await small.status(small.token(exp=1_800_000_100.5)) == 200
    assert await small.status(small.token(exp=exp)) == 401


@requirement("RS-7519-4.1.4-a")
@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" * 400, "0x7fffffff", "1_900_000_000", "١٩٠٠٠٠٠٠٠٠"])
async def test_rs_7519_4_1_4_a_an_expiry_is_a_finite_number_of_json(small: Probe, number: str) -> None:
    """RFC 8259 §6: what a lax parser reads as for ever."""
    text = json.dumps(claims(small, exp=777_777))
    assert await status_of_json(small, text.replace("777777", "1.9e9")) == 200
    assert await status_of_json(small, text.replace("777777", number)) == 401


@requirement("RS-7519-4.1.4-a")
@pytest.mark.parametrize("leeway", [61, 300, -1, math.inf, math.nan])
def test_rs_7519_4_1_4_a_the_leeway_is_small(leeway: float) -> None:
    """RFC 7519 §4.1.4; ruling 40: at most a minute."""
    with pytest.raises(ConfigurationError):
        Issuer(url="https://id.example.com", audience=ORIGIN, leeway=leeway)


@requirement("RS-7519-4.1.5-a")
async def test_rs_7519_4_1_5_a_before_its_time_a_token_is_refused(small: Probe) -> None:
    """RFC 7519 §4.1.5."""
    now = int(small.time.wall)
    for ahead, status in ((-3600, 200), (0, 200), (30, 200), (31, 401), (120, 401)):
        assert await small.status(small.token(nbf=now + ahead)) == status, ahead
    early = small.token(nbf=now + 120)
    assert await small.status(early) == 401
    small.time.turn(100)
    assert await small.status(early) == 200


@requirement("RS-7519-4.1.5-a")
@pytest.mark.parametrize("nbf", NO_TIMES)
async def test_rs_7519_4_1_5_a_a_not_before_is_a_number(small: Probe, nbf: object) -> None:
    """RFC 7519 §4.1.5."""
    assert await small.status(small.token(nbf=nbf)) == 401


@requirement("RS-7519-4.1.6-a")
async def test_rs_7519_4_1_6_a_a_clock_that_is_a_little_fast_is_forgiven(small: Probe) -> None:
    """RFC 7519 §4.1.6; rulings: five seconds are no reason, two minutes are."""
    now = int(small.time.wall)
    for ahead, status in ((2, 200), (5, 200), (10, 200), (30, 200), (31, 401), (120, 401)):
        assert await small.status(small.token(iat=now + ahead)) == status, ahead


@requirement("RS-7519-7.2-a")
@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"[]", id="array"),
        pytest.param(b'"x"', id="text"),
        pytest.param(b"1", id="number"),
        pytest.param(b"null", id="null"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="half-an-object"),
        pytest.param(b"{'sub': 'alice'}", id="no-json"),
    ],
)
async def test_rs_7519_7_2_a_the_payload_is_an_object(small: Probe, payload: bytes) -> None:
    """RFC 7519 §7.2 no. 10."""
    assert await status_of_json(small, payload) == 401


@requirement("RS-7519-7.2-a")
@pytest.mark.parametrize(
    ("respell", "status"),
    [
        pytest.param(lambda text: text.encode(), 200, id="utf-8"),
        pytest.param(lambda text: b" \t\r\n" + text.encode() + b"\n", 200, id="white-space-around"),
        pytest.param(lambda text: text.encode("utf-16"), 401, id="utf-16"),
        pytest.param(lambda text: text.encode("utf-16-le"), 401, id="utf-16-without-a-mark"),
        pytest.param(lambda text: text.encode("utf-32"), 401, id="utf-32"),
        pytest.param(lambda text: b"\xef\xbb\xbf" + text.encode(), 401, id="byte-order-mark"),
        pytest.param(lambda text: text.encode("latin-1"), 401, id="latin-1"),
        pytest.param(lambda text: text.encode().replace(b"\xc3\xa9", b"\xc0\xaf"), 401, id="overlong"),
        pytest.param(lambda text: text.encode().replace(b"\xc3\xa9", b"\xed\xa0\x80"), 401, id="surrogate"),
        pytest.param(lambda text: text.encode() + b"{}", 401, id="two-objects"),
        pytest.param(lambda text: text.encode() + b"\x00", 401, id="nul-at-the-end"),
        pytest.param(lambda text: text.replace("{", "{/* */", 1).encode(), 401, id="comment"),
        pytest.param(lambda text: (text[:-1] + ",}").encode(), 401, id="trailing-comma"),
        pytest.param(lambda text: text.replace("é", "\t").encode(), 401, id="control-in-a-text"),
        pytest.param(lambda text: text.replace('"é"', "NaN").encode(), 401, id="nan"),
    ],
)
async def test_rs_7519_7_2_a_the_payload_is_json_in_utf_8(small: Probe, respell: Any, status: int) -> None:
    """RFC 7519 §7.2 no. 9 and 10; RFC 8259 §8.1."""
    assert await status_of_json(small, respell(json.dumps(claims(small, name="é"), ensure_ascii=False))) == status


@requirement("RS-7519-7.2-a")
@pytest.mark.parametrize("header", [b"[]", b'"x"', b"null", b"", b"{", b'{"alg":"ES256"', b"\xff"])
async def test_rs_7519_7_2_a_the_header_is_an_object(small: Probe, header: bytes) -> None:
    """RFC 7519 §7.2 no. 3 and 4."""
    assert await small.status(small.issuer.mint.sign(claims(small), header)) == 401

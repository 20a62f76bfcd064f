import base64
import json
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resource_server.refusals import Kind, Refusal
from resource_server.validation import compact

HEADER = {"alg": "ES256", "kid": "k1", "typ": "at+jwt"}


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def spelled(header: Any, payload: Any = None, signature: bytes = b"signature") -> str:
    """A token of these parts; bytes stand as they are."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload or {})]
    return ".".join(encode(part) for part in (*parts, signature))


GOOD = spelled(HEADER, {"sub": "alice"})


def refusal_of(token: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        compact.parse(token)
    assert caught.value.kind is Kind.MALFORMED_TOKEN
    return caught.value


def test_a_token_is_taken_apart() -> None:
    """RFC 7515 §5.2: what is verified is the text as it came, never a text written anew."""
    jws = compact.parse(GOOD)
    header, payload, _ = GOOD.split(".")
    assert jws.header == compact.Header("ES256", "k1", "at+jwt")
    assert jws.header_text == header
    assert jws.payload == {"sub": "alice"}
    assert jws.payload_text == b'{"sub": "alice"}'
    assert jws.signing_input == f"{header}.{payload}".encode()
    assert jws.signature == b"signature"


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="nothing"),
        pytest.param("opaque", id="one-part"),
        pytest.param(GOOD.rsplit(".", 1)[0], id="two-parts"),
        pytest.param(GOOD + ".x", id="four-parts"),
        pytest.param(GOOD + ".AA.AA", id="five-parts-as-a-jwe-has"),
        pytest.param(GOOD + ".", id="period-at-the-end"),
        pytest.param("." + GOOD, id="period-at-the-beginning"),
        pytest.param(".".join(["", *GOOD.split(".")[1:]]), id="empty-header"),
        pytest.param(".".join([GOOD.split(".")[0], "", GOOD.split(".")[2]]), id="empty-payload"),
        pytest.param(GOOD.rsplit(".", 1)[0] + ".", id="empty-signature"),
        pytest.param("..", id="three-empty-parts"),
        pytest.param("." * 16_000, id="nothing-but-periods"),
        pytest.param(json.dumps({"payload": "e30", "protected": "e30", "signature": "AA"}), id="json-serialization"),
    ],
)
def test_anything_but_three_parts_is_refused(token: str) -> None:
    """RS-7515-5.2-a, RS-8725-3.3-a."""
    refusal_of(token)


@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize(
    "foreign",
    ["=", "\n", " ", "\t", "+", "/", "{", '"', ",", "\x00", "~", "é", "\u2028", "\ud800", "Ａ"],
    ids=lambda character: f"U+{ord(character):04X}",
)
def test_a_character_outside_of_base64url_and_the_period_is_refused(part: int, foreign: str) -> None:
    """RS-8725bis-3.14-a, RS-7515-5.2-a: before anything is parsed; neither padding nor line breaks."""
    parts = GOOD.split(".")
    for spoiled in (parts[part] + foreign, foreign + parts[part], parts[part][:2] + foreign + parts[part][2:]):
        refusal = refusal_of(".".join([*parts[:part], spoiled, *parts[part + 1 :]]))
        assert refusal.reason == "a character outside of base64url and the period"


@given(st.binary(min_size=1, max_size=40))
def test_what_base64url_writes_is_read_back(raw: bytes) -> None:
    """RFC 7515 §2."""
    assert compact.decode(encode(raw).encode()) == raw


@given(st.text("AQgwBCDEFxyz0189-_", min_size=1, max_size=10))
def test_bytes_have_exactly_one_spelling(part: str) -> None:
    """RS-7515-5.2-a: a non-canonical tail would give one token several digests."""
    try:
        raw = compact.decode(part.encode())
    except ValueError:
        return
    assert encode(raw) == part


@pytest.mark.parametrize("part", [b"A", b"AAAAA", b"AB", b"AAB", b"A_", b"AA_", b""])
def test_an_impossible_length_or_tail_is_refused(part: bytes) -> None:
    """RFC 4648 §3.5."""
    with pytest.raises(ValueError):
        compact.decode(part)


@pytest.mark.parametrize("part", [b"AAAA~~~~", b"AAAA\n\n\n\n", b"AAAA====", b"AAAA\xff\xff\xff\xff"])
def test_what_is_no_base64url_is_never_passed_over(part: bytes) -> None:
    """RS-7515-5.2-a: a lenient decoder drops it, so that one token would have several spellings."""
    with pytest.raises(ValueError):
        compact.decode(part)


@pytest.mark.parametrize(
    ("before", "canonical"),
    [pytest.param("A", "AQgw", id="one-byte"), pytest.param("AA", "AEIMQUYcgkosw048", id="two-bytes")],
)
def test_a_last_character_with_spare_bits_is_refused(before: str, canonical: str) -> None:
    """RS-7515-5.2-a, RFC 4648 §3.5: for each of the 64 characters."""
    alphabet = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    for character in canonical:
        assert encode(compact.decode((before + character).encode())) == before + character
    for character in alphabet - set(canonical):
        with pytest.raises(ValueError, match=r"^not canonical base64url$"):
            compact.decode((before + character).encode())


@pytest.mark.parametrize(
    "crit",
    [
        pytest.param(["exp"], id="unknown"),
        pytest.param([], id="empty"),
        pytest.param(["b64"], id="b64"),
        pytest.param(["alg"], id="registered"),
        pytest.param(["absent", "absent"], id="repeated-and-absent"),
        pytest.param("exp", id="text"),
        pytest.param(None, id="null"),
    ],
)
def test_critical_members_are_refused_whatever_they_name(crit: object) -> None:
    """RS-7515-4.1.11-a: we understand none."""
    refusal_of(spelled(HEADER | {"crit": crit, "exp": 1}))


def test_members_that_are_not_understood_are_ignored() -> None:
    """RS-7515-4-a."""
    header = HEADER | {"foo": 1, "nonce": "x", "cty": "JWT", "x5t": "AA", "b64": True}
    assert compact.parse(spelled(header)).header == compact.Header("ES256", "k1", "at+jwt")


@pytest.mark.parametrize("value", [False, None, 0, "true", []])
def test_an_unencoded_payload_is_refused(value: object) -> None:
    """RFC 7797, with or without crit."""
    refusal_of(spelled(HEADER | {"b64": value}))


def test_the_header_of_an_encrypted_token_is_refused() -> None:
    """RS-8725-3.3-a: a JWE is never taken for a JWS (CVE-2023-51774)."""
    refusal_of(spelled({"alg": "RSA-OAEP", "enc": "A128GCM"}))
    refusal_of(spelled(HEADER | {"enc": "A128GCM"}))


@pytest.mark.parametrize(
    "member",
    [
        pytest.param({"alg": None}, id="alg-null"),
        pytest.param({"alg": 256}, id="alg-number"),
        pytest.param({"alg": ["ES256"]}, id="alg-array"),
        pytest.param({"alg": {"ES256": 1}}, id="alg-object"),
        pytest.param({"kid": 1}, id="kid-number"),
        pytest.param({"kid": None}, id="kid-null"),
        pytest.param({"kid": ["k1"]}, id="kid-array"),
        pytest.param({"typ": None}, id="typ-null"),
        pytest.param({"typ": True}, id="typ-bool"),
        pytest.param({"typ": ["at+jwt"]}, id="typ-array"),
    ],
)
def test_header_members_of_the_wrong_type_are_refused(member: dict[str, object]) -> None:
    """RFC 7515 §4.1: alg, kid and typ are texts. No crash of a later comparison (RS-8725-3.10-a)."""
    refusal_of(spelled(HEADER | member))


def test_a_header_without_alg_is_refused() -> None:
    """RFC 7515 §4.1.1: alg must be there; kid and typ need not."""
    refusal_of(spelled({"kid": "k1", "typ": "at+jwt"}))
    assert compact.parse(spelled({"alg": "ES256"})).header == compact.Header("ES256", None, None)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b'{"alg":"none","alg":"ES256"}', id="twice"),
        pytest.param(rb'{"alg":"none","\u0061lg":"ES256"}', id="twice-once-escaped"),
        pytest.param(b'["alg"]', id="array"),
        pytest.param(b'"ES256"', id="text"),
        pytest.param(b"{}x", id="trailing"),
        pytest.param(b'\xef\xbb\xbf{"alg":"ES256"}', id="bom"),
        pytest.param('{"alg":"ES256"}'.encode("utf-16"), id="utf-16"),
        pytest.param(rb'{"alg":"ES256","kid":"\ud800"}', id="lone-surrogate"),
        pytest.param(b'{"alg":"ES256","a":' + b"[" * 3000 + b"]" * 3000 + b"}", id="deep"),
        pytest.param(b'{"alg":"ES256","a":NaN}', id="nan"),
        pytest.param(b'{"alg":"ES256","a":' + b"1" * 4000 + b"}", id="big-integer"),
    ],
)
def test_a_header_that_is_no_strict_json_object_is_refused(header: bytes) -> None:
    """T28, RS-7515-4-b: the header is read as strictly as the payload."""
    refusal_of(spelled(header))


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"[]", id="array"),
        pytest.param(b'"x"', id="text"),
        pytest.param(b"\x00", id="bytes"),
        pytest.param(b'{"aud":"x","aud":"me"}', id="member-twice"),
        pytest.param('{"sub":"alice"}'.encode("utf-16"), id="utf-16"),
        pytest.param(b'{"exp":1e999}', id="infinite"),
        pytest.param(b'{"a":' + b"[" * 4000 + b"]" * 4000 + b"}", id="deep"),
    ],
)
def test_a_payload_that_is_no_strict_json_object_is_refused(payload: bytes) -> None:
    """RS-7519-7.2-a, RS-7515-4-b, T28."""
    refusal_of(spelled(HEADER, payload))


def test_a_header_of_8_kib_is_read_and_one_byte_more_is_refused() -> None:
    """T28: JOSE header ≤ 8 KiB, decoded."""
    frame = len(b'{"alg":"ES256","a":""}')
    fitting, excessive = (b'{"alg":"ES256","a":"%s"}' % (b"x" * (8192 + more - frame)) for more in (0, 1))
    assert len(fitting) == 8192
    assert compact.parse(spelled(fitting)).header.algorithm == "ES256"
    assert refusal_of(spelled(excessive)).reason == "the header is too large"


def outcome(token: str) -> Kind | None:
    try:
        compact.parse(token)
    except Refusal as refusal:
        return refusal.kind
    return None


@given(
    st.text("ey.JhbGciOiFUzI1NiJ9-_=?é", max_size=60) | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1"))
)
def test_any_text_gives_a_jws_or_a_refusal(text: str) -> None:
    """T28: nothing else is ever raised."""
    assert outcome(text) in {None, Kind.MALFORMED_TOKEN}


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_decoded_parts_give_a_jws_or_a_refusal(header: bytes, payload: bytes) -> None:
    """T28, behind the base64url."""
    assert outcome(spelled(header, payload)) in {None, Kind.MALFORMED_TOKEN}


def test_neither_a_refusal_nor_a_repr_shows_the_token() -> None:
    """RS-6750-5.3-a: reasons, causes and reprs reach logs."""
    for token in (
        spelled(b'{"alg":"canary}'),
        spelled(HEADER, b'{"sub":"canary'),
        spelled(HEADER, b'{"canary":1,"canary":1}'),
        "canary",
        "a.canary!.c",
    ):
        refusal = refusal_of(token)
        assert "canary" not in "".join(traceback.format_exception_only(refusal))
        assert "canary" not in f"{refusal.__cause__!r} {refusal!r}"
    canary = compact.parse(spelled(HEADER, {"sub": "canary"}, b"canary"))
    assert "canary" not in repr(canary)
    assert encode(b"canary") not in repr(canary)
    assert canary.header_text not in repr(canary)


def test_a_known_header_spares_its_reading_and_changes_nothing_else() -> None:
    """Design §8: equal header texts have equal headers."""
    known = {GOOD.split(".", maxsplit=1)[0]: compact.parse_header(json.dumps(HEADER).encode())}
    assert compact.parse(GOOD, known) == compact.parse(GOOD)
    assert compact.parse(GOOD, known).header is known[GOOD.split(".", maxsplit=1)[0]]
    other = spelled(HEADER | {"kid": "k2"})
    assert compact.parse(other, known).header.key_id == "k2"

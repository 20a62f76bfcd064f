import hashlib
import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resource_server.credentials import MAX_FIELD, Credentials, credential_fields, extract
from resource_server.refusals import Kind, Refusal

TOKEN = "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl"
GOOD = f"Bearer {TOKEN}".encode()
BOTH = ("Bearer", "DPoP")
TOKEN68_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"


def request(*authorization: bytes, query: bytes = b"") -> dict[str, Any]:
    headers = [(b"host", b"api.example.com"), *((b"authorization", value) for value in authorization)]
    return {"type": "http", "headers": headers, "query_string": query}


def credentials_of(*authorization: bytes, query: bytes = b"", schemes: tuple[str, ...] = ("Bearer",)) -> Credentials:
    scope = request(*authorization, query=query)
    return extract(scope, credential_fields(scope), schemes=schemes)


def refusal_of(*authorization: bytes, query: bytes = b"", schemes: tuple[str, ...] = ("Bearer",)) -> Refusal:
    with pytest.raises(Refusal) as caught:
        credentials_of(*authorization, query=query, schemes=schemes)
    return caught.value


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(GOOD, id="as-registered"),
        pytest.param(f"bearer {TOKEN}".encode(), id="lower-case"),
        pytest.param(f"BEARER {TOKEN}".encode(), id="upper-case"),
        pytest.param(f"bEaReR {TOKEN}".encode(), id="mixed-case"),
        pytest.param(f"Bearer    {TOKEN}".encode(), id="several-spaces"),
    ],
)
def test_token_of_the_authorization_header_is_found(value: bytes) -> None:
    """RS-6750-2.1-a, RS-9110-11.1-a: the scheme's name is matched in any case, and followed by 1*SP."""
    found = credentials_of(value)
    assert (found.scheme, found.token) == ("Bearer", TOKEN)
    assert found.digest == hashlib.sha256(TOKEN.encode()).digest()


@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP"])
def test_scheme_is_given_in_its_registered_spelling(scheme: str) -> None:
    """RS-9110-11.1-a."""
    assert credentials_of(f"{scheme} {TOKEN}".encode(), schemes=BOTH).scheme == "DPoP"


@pytest.mark.parametrize("token", ["-._~+/", "a=", "a==", "0123456789", "AZaz", "a.b.c", *TOKEN68_CHARACTERS])
def test_every_token68_is_taken_as_it_is(token: str) -> None:
    """RS-6750-2.1-b: 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="."""
    assert credentials_of(f"Bearer {token}".encode()).token == token


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"", id="empty-field"),
        pytest.param(b" ", id="space-alone"),
        pytest.param(b"Bearer", id="scheme-alone"),
        pytest.param(b"Bearer ", id="scheme-and-a-space"),
        pytest.param(b"Bearer   ", id="scheme-and-spaces"),
        pytest.param(b"Bearer a b", id="two-words"),
        pytest.param(b"Bearer a ", id="space-at-the-end"),
        pytest.param(b" Bearer a", id="space-at-the-beginning"),
        pytest.param(b"Bearer a,b", id="comma"),
        pytest.param(b"Bearer a, Bearer b", id="two-joined-by-a-comma"),
        pytest.param(b"Bearer,a", id="comma-after-the-scheme"),
        pytest.param(b'Bearer "x"', id="quoted"),
        pytest.param(b"Bearer\ta", id="tab-as-separator"),
        pytest.param(b"Bearer \ta", id="tab-after-the-space"),
        pytest.param(b"Bearer a\t", id="tab-at-the-end"),
        pytest.param(b"Bearer a\n", id="line-feed-at-the-end"),
        pytest.param(b"Bearer\n", id="line-feed-after-the-scheme"),
        pytest.param(b"Bearer a\x00", id="nul"),
        pytest.param("Bearer tök".encode(), id="utf-8"),
        pytest.param("Bearer tök".encode("latin-1"), id="latin-1"),
        pytest.param(b"Bearer\xa0a", id="no-break-space-as-separator"),
        pytest.param("Bearer ａ".encode(), id="full-width-letter"),
        pytest.param(b"Bearer =", id="padding-alone"),
        pytest.param(b"Bearer a=b", id="padding-in-the-middle"),
        pytest.param(b"Bearer {}", id="braces"),
        pytest.param(b"Bearer:a", id="colon-as-separator"),
        pytest.param(b"Bearer/a", id="no-separator"),
        pytest.param(b"Basic\n", id="line-feed-after-another-scheme"),
        pytest.param(b"=Bearer a", id="no-scheme"),
    ],
)
def test_what_is_no_token68_after_the_scheme_is_malformed(value: bytes) -> None:
    """RS-6750-2.1-b, decision table D03: it never reaches a validator."""
    assert refusal_of(value).kind is Kind.MALFORMED_CREDENTIALS


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"Basic YWxpY2U6c2VjcmV0", id="basic"),
        pytest.param(b"Token abc", id="token"),
        pytest.param(b"Digest", id="scheme-alone"),
        pytest.param(b'Digest username="a, b", realm="x"', id="with-parameters"),
        pytest.param(b"Bearerx abc", id="longer-name"),
        pytest.param(b"Beare abc", id="shorter-name"),
        pytest.param(b"!#$%&'*+-.^_`|~09AZaz abc", id="any-token"),
        pytest.param(b"DPoP abc", id="dpop-where-only-bearer-is-accepted"),
        pytest.param(TOKEN.encode(), id="token-without-a-scheme"),
    ],
)
def test_other_scheme_is_unsupported(value: bytes) -> None:
    """RS-6750-3.1-a, decision table D02: as good as no credentials."""
    assert refusal_of(value).kind is Kind.UNSUPPORTED_SCHEME


def test_scheme_that_this_route_does_not_accept_is_unsupported() -> None:
    """Decision table D15, note: a resource server for DPoP alone."""
    assert refusal_of(GOOD, schemes=("DPoP",)).kind is Kind.UNSUPPORTED_SCHEME


def test_request_without_the_header_has_no_credentials() -> None:
    """Decision table D01."""
    assert refusal_of().kind is Kind.NO_CREDENTIALS
    assert refusal_of(query=b"q=access_token&token=abc&access_tokens=1").kind is Kind.NO_CREDENTIALS


@pytest.mark.parametrize(
    "values",
    [
        pytest.param((GOOD, GOOD), id="the-same-twice"),
        pytest.param((GOOD, b"Bearer other"), id="good-first"),
        pytest.param((b"Bearer other", GOOD), id="good-last"),
        pytest.param((b"Basic YTpi", GOOD), id="beside-another-scheme"),
        pytest.param((GOOD, b""), id="beside-an-empty-one"),
        pytest.param((GOOD, GOOD, GOOD), id="three"),
    ],
)
def test_two_authorization_fields_are_refused(values: tuple[bytes, ...]) -> None:
    """RS-9110-11.6.2-a, RS-6750-3.1-b, decision table D04: neither of them wins."""
    assert refusal_of(*values).kind is Kind.REPEATED_CREDENTIALS


NAMES_IN_QUERY = [
    pytest.param(b"access_token=abc", id="plain"),
    pytest.param(b"page=2&access_token=abc", id="not-the-first"),
    pytest.param(b"access_token=", id="empty"),
    pytest.param(b"access_token", id="without-equals"),
    pytest.param(b"access%5ftoken=abc", id="percent-encoded-lower-case"),
    pytest.param(b"access%5Ftoken=abc", id="percent-encoded-upper-case"),
    pytest.param(b"%61ccess_token=abc", id="percent-encoded-letter"),
    pytest.param(b"&&access_token=abc&", id="between-empty-members"),
]


@pytest.mark.parametrize("query", NAMES_IN_QUERY)
def test_token_in_the_query_alone_is_ignored(query: bytes) -> None:
    """RS-6750-2.3-a, RS-21-5.1-a, decision table D30."""
    assert refusal_of(query=query).kind is Kind.CREDENTIALS_IN_QUERY


@pytest.mark.parametrize("query", NAMES_IN_QUERY)
def test_token_in_the_query_beside_a_header_token_is_refused(query: bytes) -> None:
    """RS-6750-2-a, RS-21-5.1-a, ruling 5: D04 with 400."""
    assert refusal_of(GOOD, query=query).kind is Kind.REPEATED_CREDENTIALS


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(b"Access_Token=abc", id="another-case"),
        pytest.param(b"access%255ftoken=abc", id="encoded-twice"),
        pytest.param(b"access+token=abc", id="plus-for-the-underscore"),
        pytest.param(b"access_token%3Dabc", id="encoded-equals"),
        pytest.param(b"q=access_token", id="as-a-value"),
        pytest.param(b"q=a%26access_token=abc", id="encoded-ampersand"),
        pytest.param(b"access_token[]=abc", id="as-a-list"),
        pytest.param(b"xaccess_token=abc", id="longer-name"),
    ],
)
def test_other_parameters_of_the_query_are_no_tokens(query: bytes) -> None:
    """Ruling 5: the name is compared once, after percent-decoding, in the raw query."""
    assert credentials_of(GOOD, query=query).token == TOKEN


@given(st.lists(st.booleans(), min_size=12, max_size=12), st.booleans())
def test_name_is_found_however_it_is_percent_encoded(encoded: list[bool], lower: bool) -> None:
    """Ruling 5."""
    pairs = zip("access_token", encoded, strict=True)
    name = "".join(f"%{ord(letter):02x}" if hide else letter for letter, hide in pairs)
    name = name if lower else re.sub("%..", lambda match: match[0].upper(), name)
    assert refusal_of(GOOD, query=f"a=b&{name}=c".encode()).kind is Kind.REPEATED_CREDENTIALS


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        pytest.param(b"Bearer a b", Kind.MALFORMED_CREDENTIALS, id="malformed-header"),
        pytest.param(b"", Kind.MALFORMED_CREDENTIALS, id="empty-header"),
        pytest.param(b"Basic YTpi", Kind.UNSUPPORTED_SCHEME, id="another-scheme"),
    ],
)
def test_token_in_the_query_is_a_second_one_only_beside_a_first(value: bytes, kind: Kind) -> None:
    """Part E2 no. 6: D03 before D04; a header that bears no token of ours is no second way (RFC 6750 §3.1)."""
    assert refusal_of(value, query=b"access_token=abc").kind is kind


@pytest.mark.parametrize("name", [b"authorization", b"dpop"])
@pytest.mark.parametrize(("size", "too_large"), [(16 * 1024, False), (16 * 1024 + 1, True)])
def test_field_is_bounded(name: bytes, size: int, too_large: bool) -> None:
    """RS-6585-5-a, T28, decision table D05: 16 KiB for Authorization and for DPoP each."""
    assert MAX_FIELD == 16 * 1024
    value = b"Bearer " + b"a" * (size - 7)
    scope = {"headers": [(b"host", b"x"), (name, value)], "query_string": b""}
    if too_large:
        with pytest.raises(Refusal) as caught:
            credential_fields(scope)
        assert caught.value.kind is Kind.OVERSIZED_CREDENTIALS
    else:
        assert credential_fields(scope) == ((value,) if name == b"authorization" else ())


def test_token_of_the_largest_field_is_found() -> None:
    """T28, at the bound."""
    assert len(credentials_of(b"Bearer " + b"a" * (MAX_FIELD - 7)).token) == MAX_FIELD - 7


def test_size_is_judged_before_anything_else() -> None:
    """Part E2: no. 3 before no. 6, so two fields of which one is too large are too large."""
    assert refusal_of(GOOD, b"Bearer " + b"a" * MAX_FIELD).kind is Kind.OVERSIZED_CREDENTIALS
    assert refusal_of(b"x y z" * MAX_FIELD, query=b"access_token=a").kind is Kind.OVERSIZED_CREDENTIALS


def test_other_fields_may_be_larger() -> None:
    """T28: only these two fields are ours to bound."""
    scope = {"headers": [(b"cookie", b"a" * (MAX_FIELD + 1)), (b"authorization", GOOD)]}
    assert credential_fields(scope) == (GOOD,)


def test_scope_without_a_query_is_no_error() -> None:
    """ASGI: `query_string` may be left out of a WebSocket's scope."""
    assert extract({"headers": []}, (GOOD,)).token == TOKEN
    assert extract({"headers": [], "query_string": None}, (GOOD,)).token == TOKEN


def test_no_token_is_shown_by_repr() -> None:
    """RS-6750-5.3-a."""
    found = credentials_of(GOOD)
    assert repr(found) == "Credentials(scheme='Bearer')"
    assert str(found) == "Credentials(scheme='Bearer')"


@pytest.mark.parametrize(
    ("values", "query", "reason"),
    [
        pytest.param((b"CANARY",), b"", "the scheme is none of Bearer, DPoP", id="as-a-scheme"),
        pytest.param((b" CANARY",), b"", "no authentication scheme", id="without-a-scheme"),
        pytest.param((b"Bearer CANARY CANARY",), b"", "what follows the scheme is not one token68", id="malformed"),
        pytest.param((b"Bearer CANARY", b"Bearer CANARY"), b"", "2 Authorization fields", id="repeated"),
        pytest.param(
            (b"Bearer CANARY",),
            b"access_token=CANARY",
            "a token in the Authorization field and one in the query",
            id="in-the-query-too",
        ),
        pytest.param((b"Bearer " + b"CANARY" * 3000,), b"", "a field of 18007 bytes", id="oversized"),
        pytest.param((), b"access_token=CANARY", "a token in the query is ignored", id="in-the-query"),
    ],
)
def test_reason_tells_the_fault_and_nothing_of_the_credentials(
    values: tuple[bytes, ...], query: bytes, reason: str
) -> None:
    """RS-6750-5.3-a, decision table D02 and D03: the operator learns what is wrong; what came may be a password."""
    refusal = refusal_of(*values, query=query, schemes=BOTH)
    assert refusal.reason == reason
    assert "canary" not in repr((refusal, str(refusal), refusal.__cause__, refusal.__context__)).lower()


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.binary(max_size=24), st.binary(max_size=12).map(lambda rest: b"Bearer " + rest)))
def test_any_field_is_one_token68_or_a_refusal(value: bytes) -> None:
    """RS-6750-2.1-b, threats "how it is shown": the grammar once more, written another way."""
    scheme, _, token = value.partition(b" ")
    token = token.lstrip(b" ")
    unpadded = token.rstrip(b"=").decode("latin-1")
    if scheme.lower() == b"bearer" and unpadded and quote(unpadded, safe="+/", encoding="latin-1") == unpadded:
        assert credentials_of(value) == Credentials("Bearer", token.decode(), hashlib.sha256(token).digest())
    else:
        assert refusal_of(value).kind in (Kind.MALFORMED_CREDENTIALS, Kind.UNSUPPORTED_SCHEME)

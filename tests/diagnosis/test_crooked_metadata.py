"""Issuers whose metadata has a fault, over real sockets: what is wrong is found, and the cure named."""

import gzip

import pytest

from resource_server.diagnosis import Outcome, diagnose
from tests.diagnosis.crooked import (
    KEYS,
    OAUTH,
    OPENID,
    Routes,
    assert_shut,
    at,
    crooked,
    marks,
    metadata,
    told,
)
from tests.issuers.loopback import answers
from tests.turnable_clock import TurnableClock


async def test_a_good_issuer_passes_every_check(time: TurnableClock) -> None:
    """DESIGN §6."""
    async with crooked() as origin:
        diagnosis = await diagnose(at(origin), alone=True, clock=time.clock)
    assert (marks(diagnosis), diagnosis.outcome) == ({}, Outcome.FINE)
    names = "configuration discovery discovery issuer jwks_uri key_set key keys algorithms clock grants"
    assert [check.name for check in diagnosis.checks] == names.split()


METADATA = [
    pytest.param(
        lambda origin: {OPENID: metadata(origin, issuer=origin + "/")},
        "issuer",
        ("{origin}/", "{origin}", "differs only by a trailing slash; set RESOURCE_SERVER_ISSUER={origin}/"),
        id="trailing-slash",
    ),
    pytest.param(
        lambda origin: {OPENID: metadata(origin, issuer=origin.replace("http", "HTTP"))},
        "issuer",
        ("HTTP://", "{origin}", "differs only by upper and lower case; set RESOURCE_SERVER_ISSUER=HTTP://"),
        id="case",
    ),
    pytest.param(
        lambda origin: {OPENID: metadata(origin, issuer=origin.replace("http", "https"))},
        "issuer",
        ("https://", "{origin}", "differs only by http and https; set RESOURCE_SERVER_ISSUER=https://"),
        id="https",
    ),
    pytest.param(
        lambda origin: {OPENID: metadata(origin, issuer="https://id.example.com")},
        "issuer",
        (
            "https://id.example.com",
            "{origin}",
            "RESOURCE_SERVER_METADATA_URL or RESOURCE_SERVER_JWKS_URI to an https address here",
        ),
        id="another-issuer",
    ),
    pytest.param(
        lambda origin: {OPENID: metadata(origin, issuer="http://id.example.com")},
        "issuer",
        ("http://id.example.com", "{origin}", "the issuer has to call itself by its https URL"),
        id="plain-http-in-public",
    ),
    pytest.param(
        lambda origin: {OPENID: metadata(origin, issuer=None)},
        "issuer",
        ("(none)", "{origin}", "it has to name its issuer (RFC 8414 §2)"),
        id="no-issuer",
    ),
    pytest.param(
        lambda origin: {OPENID: metadata(origin, jwks_uri=None)},
        "jwks_uri",
        ("(none)", "an https address", "set RESOURCE_SERVER_JWKS_URI=https://…"),
        id="no-jwks_uri",
    ),
    pytest.param(
        lambda origin: {OPENID: metadata(origin, jwks_uri="http://id.example.com/keys")},
        "jwks_uri",
        ("http://id.example.com/keys", "an https address", "set RESOURCE_SERVER_JWKS_URI=https://id.example.com/keys"),
        id="plain-http-jwks_uri",
    ),
    pytest.param(
        lambda origin: {OPENID: answers(b"", status="302 Found", headers="location: https://id.example.com/m?t=1\r\n")},
        "discovery",
        (
            "status 302, a redirect to https://id.example.com/m; none is followed",
            "",
            "set RESOURCE_SERVER_METADATA_URL=https://id.example.com/m",
        ),
        id="redirect",
    ),
    pytest.param(
        lambda origin: {OPENID: answers(b"<!doctype html><title>Log in</title>")},
        "discovery",
        ("the answer is no JSON: OpenID Connect Discovery at {origin}", "", "something else answers there"),
        id="html",
    ),
    pytest.param(
        lambda origin: {OPENID: answers(gzip.compress(b"{}"), headers="content-encoding: gzip\r\n")},
        "discovery",
        ("the answer is compressed", "", "send it uncompressed"),
        id="compressed",
    ),
    pytest.param(
        lambda origin: {OPENID: answers(b"{", length=100)},
        "discovery",
        ("the answer ends early, or is no HTTP", "", "see what answers there"),
        id="truncated",
    ),
    pytest.param(
        lambda origin: {OPENID: answers(b"", status="403 Forbidden")},
        "discovery",
        ("status 403", "", "let the issuer publish it to everybody"),
        id="forbidden",
    ),
    pytest.param(
        lambda origin: {OPENID: answers(b"", status="404 Not Found")},
        "discovery",
        (
            "status 404: OpenID Connect Discovery at {origin}/.well-known/openid-configuration and RFC 8414 at",
            "",
            "RESOURCE_SERVER_ISSUER is the issuer's whole name, path included",
        ),
        id="no-metadata",
    ),
]


@pytest.mark.parametrize(("routes", "name", "expected"), METADATA)
async def test_metadata_that_keeps_all_tokens_out_is_wrong(
    time: TurnableClock, routes: Routes, name: str, expected: tuple[str, str, str]
) -> None:
    """DESIGN §6; RS-8414-3.3-a, T23."""
    await assert_shut(routes, time, name, expected)


async def test_documents_that_disagree_are_a_warning(time: TurnableClock) -> None:
    """RS-9068-4-h."""
    other = "https://id.example.com/keys"
    async with crooked(lambda origin: {OAUTH: metadata(origin, jwks_uri=other)}) as origin:
        diagnosis = await diagnose(at(origin), alone=True, clock=time.clock)
    assert (diagnosis.outcome, marks(diagnosis)) == (Outcome.WARNING, {"agreement": "!"})
    found, expected, cure = told(diagnosis, "agreement")
    assert found == f"RFC 8414: issuer {origin}, jwks_uri {other}"
    assert expected == f"as OpenID Connect Discovery: issuer {origin}, jwks_uri {origin}{KEYS}"
    assert cure == f"let the issuer publish the same in both (RFC 9068 §4); a server uses {origin}{OPENID}"


async def test_documents_that_agree_are_said_to(time: TurnableClock) -> None:
    """RS-9068-4-h."""
    async with crooked(lambda origin: {OAUTH: metadata(origin)}) as origin:
        diagnosis = await diagnose(at(origin), alone=True, clock=time.clock)
    assert marks(diagnosis) == {}
    assert told(diagnosis, "agreement")[0] == "both documents name the same issuer and the same keys"


async def test_the_second_document_is_used_where_the_first_is_another_issuer_s(time: TurnableClock) -> None:
    """RFC 8414 §3.3: as the server does."""
    async with crooked(
        lambda origin: {OPENID: metadata(origin, issuer="https://id.example.com"), OAUTH: metadata(origin)}
    ) as origin:
        diagnosis = await diagnose(at(origin), alone=True, clock=time.clock)
    assert marks(diagnosis) == {"agreement": "!"}
    assert told(diagnosis, "agreement")[2].endswith(f"a server uses {origin}{OAUTH}")


async def test_the_second_document_is_used_where_the_first_names_no_keys(time: TurnableClock) -> None:
    """RFC 8414 §2: as the server does."""
    async with crooked(lambda origin: {OPENID: metadata(origin, jwks_uri=None), OAUTH: metadata(origin)}) as origin:
        diagnosis = await diagnose(at(origin), alone=True, clock=time.clock)
    assert marks(diagnosis) == {"agreement": "!"}
    assert told(diagnosis, "jwks_uri")[0] == f"{origin}/keys"


async def test_a_document_that_fails_beside_a_good_one_is_a_warning(time: TurnableClock) -> None:
    """DESIGN §6: the server goes on to the next, and nobody would know."""
    async with crooked(lambda origin: {OPENID: answers(b"", status="500 Oops"), OAUTH: metadata(origin)}) as origin:
        diagnosis = await diagnose(at(origin), alone=True, clock=time.clock)
    assert marks(diagnosis) == {"discovery": "!"}
    assert told(diagnosis, "discovery")[:2] == (
        f"OpenID Connect Discovery at {origin}{OPENID}: status 500",
        "a document, or status 404",
    )

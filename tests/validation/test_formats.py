"""T20: which way a token goes follows from its shape and its issuer, never from a trial."""

from collections.abc import Callable
from typing import Any

import pytest

from resource_server import ResourceServer
from resource_server.configuration_error import ConfigurationError
from resource_server.development.minting import SigningKey
from resource_server.issuers.issuer import Issuer
from resource_server.testing import FakeIssuer
from resource_server.validation.formats import payload_of_jwt
from tests.introspecting import GOOD, URL, Endpoint, issuer, kind, server
from tests.rfc.tokens import base64url, unbase64url
from tests.turnable_clock import TurnableClock

PARTNER = "https://partner.example"


@pytest.fixture
def endpoint(time: TurnableClock) -> Endpoint:
    return Endpoint(time)


@pytest.fixture
def mint(make_issuer: Callable[..., FakeIssuer]) -> FakeIssuer:
    return make_issuer(URL)


Make = Callable[..., ResourceServer]


@pytest.fixture
def make(time: TurnableClock, endpoint: Endpoint, mint: FakeIssuer) -> Make:
    return lambda *issuers, **options: server(time, endpoint, *issuers, fetch=mint.fetch, **options)


async def test_a_jwt_is_judged_by_its_key_and_anything_else_by_its_issuer(
    make: Make, mint: FakeIssuer, endpoint: Endpoint
) -> None:
    """Pain 16: both on one API."""
    api = make()
    assert await kind(api, mint.token()) is None
    assert endpoint.questions == []
    assert await kind(api, GOOD) is None
    assert endpoint.asked == [GOOD]


def lookalikes(mint: FakeIssuer) -> dict[str, str]:
    """Texts that a careless reader would take for a JWT, none of which is good."""
    header, payload, signature = mint.token().split(".")
    said = unbase64url(header)

    def with_header(text: str) -> str:
        return f"{text}.{payload}.{signature}"

    def with_payload(raw: bytes) -> str:
        return f"{header}.{base64url(raw)}.{signature}"

    return {
        "bad signature": f"{header}.{payload}.{signature[:-4]}AAAA",
        "forged": mint.mint.access_token(key=SigningKey.generate("ES256", kid=mint.mint.keys[0].kid)),
        "unknown key": mint.mint.access_token(key=SigningKey.generate("ES256")),
        "no signature": f"{header}.{payload}.",
        "none": mint.token(header={"alg": "none"}),
        "unknown alg": mint.token(header={"alg": "XS999"}),
        "expired": mint.token(exp=1),
        "not yet": mint.token(nbf=9_999_999_999),
        "another audience": mint.token(aud="https://other.example.com"),
        "another issuer": mint.token(iss="https://evil.example"),
        "no issuer": mint.token(iss=None),
        "id token": mint.token(header={"typ": "JWT"}),
        "introspection answer": mint.token(header={"typ": "token-introspection+jwt"}),
        "critical member": mint.token(header={"crit": ["exp"]}),
        "alg twice, a text first": with_header(base64url(b'{"alg":"ES256","alg":5}')),
        "alg twice, a text last": with_header(base64url(b'{"alg":5,"alg":"ES256"}')),
        "payload that is none": with_payload(b"[]"),
        "payload of nonsense": with_payload(b"nonsense"),
        "payload twice": with_payload(b'{"iss":"a","iss":"b"}'),
        "empty payload": f"{header}..{signature}",
        "a plus in the signature": f"{header}.{payload}.{signature[:-1]}+",
        "a tilde in the header": with_header(f"{header[:5]}~{header[5:]}"),
        "a tilde at its end": with_header(f"{header}~"),
        "two tildes": with_header(f"~{header}~"),
        "a tilde where two are left": with_header(base64url(said + b" " * (1 + -len(said) % 3)) + "~"),
        "a dangling character": with_header(base64url(said + b" " * (-len(said) % 3)) + "A"),
        "spare bits": with_header(base64url(said + b" " * (1 + -len(said) % 3))[:-1] + "B"),
        "blanks": with_header(base64url(b"  " + said)),
        "byte order mark": with_header(base64url(b"\xef\xbb\xbf" + said)),
        "utf-16": with_header(base64url(said.decode().encode("utf-16"))),
        "padding": with_header(header) + "=",
        "not utf-8": with_header(base64url(said[:-1] + b',"x":"\xff"}')),
    }


NAMES = list(lookalikes(FakeIssuer(URL)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ways", [{}, {"jwt_every": 0}, {"prefix": ""}], ids=["auto", "jwt-every", "prefix"])
async def test_a_jwt_that_fails_gets_no_second_laxer_judge(
    make: Make, mint: FakeIssuer, endpoint: Endpoint, name: str, ways: dict[str, Any]
) -> None:
    """The endpoint would call each of them active."""
    refused = await kind(make(issuer(**ways)), lookalikes(mint)[name])
    assert refused is not None
    assert refused != "issuer_unavailable"
    assert endpoint.questions == []


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("a", id="one-letter"),
        pytest.param("a.b", id="two-parts"),
        pytest.param("a.b.c", id="three-parts"),
        pytest.param("a.b.c.d.e", id="five-parts"),
        pytest.param("...", id="periods"),
        pytest.param("..", id="two-periods"),
        pytest.param("fixed-length.base64==", id="padded"),
        pytest.param("e30.e30.AA", id="no-alg"),
        pytest.param(base64url(b"[1]") + ".e30.AA", id="an-array"),
        pytest.param(base64url(b'{"alg":256}') + ".e30.AA", id="alg-a-number"),
        pytest.param("v2.local.QAxIpVe-ECVNI1z4xQbm_qQYomyT3h8FtV8bxkz8pBJWkT8f7HtlOpbroPDE", id="of-another-kind"),
    ],
)
async def test_what_is_no_jwt_by_its_shape_is_opaque(make: Make, endpoint: Endpoint, token: str) -> None:
    """Three parts whose first decodes to a JSON object with a text ``alg`` are a JWT, and nothing else is."""
    assert await kind(make(), token) is None
    assert endpoint.asked == [token]


async def test_without_an_endpoint_an_opaque_token_is_malformed(make: Make, endpoint: Endpoint) -> None:
    """D06: and nobody is asked."""
    assert await kind(make(issuer(introspection=None)), GOOD) == "malformed_token"
    assert await kind(make(issuer(introspection=None, token_format="jwt")), GOOD) == "malformed_token"
    assert endpoint.questions == []


TWO = (
    issuer(prefix="ours_", grants="everything"),
    issuer(url=PARTNER, endpoint=f"{PARTNER}/introspect", prefix="theirs_", grants="everything"),
)


@pytest.mark.parametrize("name", [URL, PARTNER])
async def test_an_opaque_token_is_shown_to_one_endpoint_alone(make: Make, endpoint: Endpoint, name: str) -> None:
    """Trying the issuers in turn hands one's token to the other, and takes one's word for the other's."""
    api = make(*TWO)
    endpoint.say(iss=name)
    token = "ours_token" if name == URL else "theirs_token"
    assert await kind(api, token) is None
    assert [question.url for question in endpoint.questions] == [f"{name}/introspect"]
    other = "theirs_other" if name == URL else "ours_other"
    assert await kind(api, other) == "wrong_issuer"


@pytest.mark.parametrize("token", ["opaque", "OURS_token", "our", "ours", "_ours_"])
async def test_a_token_with_nobody_s_prefix_is_shown_to_nobody(make: Make, endpoint: Endpoint, token: str) -> None:
    """D06."""
    assert await kind(make(*TWO), token) == "malformed_token"
    assert endpoint.questions == []


async def test_the_only_endpoint_may_have_a_prefix_too(make: Make, endpoint: Endpoint) -> None:
    """Cheap: a stranger's nonsense costs the issuer nothing."""
    api = make(issuer(prefix="ours_"))
    assert await kind(api, "ours_token") is None
    assert await kind(api, "nonsense") == "malformed_token"
    assert endpoint.asked == ["ours_token"]


@pytest.mark.parametrize(
    "prefixes",
    [("", ""), ("a", "a"), ("a", "ab"), ("", "a"), ("ab", "a"), ("a", "b", "ac"), ("a-", "a", "a_")],
    ids=str,
)
def test_endpoints_whose_tokens_can_t_be_told_apart_do_not_start(make: Make, prefixes: tuple[str, ...]) -> None:
    """In one sentence, which names the setting and the cure."""
    several = [
        issuer(url=f"https://id{number}.example", prefix=prefix, grants="everything")
        for number, prefix in enumerate(prefixes)
    ]
    with pytest.raises(ConfigurationError) as caught:
        make(*several)
    assert str(caught.value) == (
        "token_prefix must tell the opaque tokens of several issuers apart: none may begin with another's"
    )


@pytest.mark.parametrize("prefixes", [("a", "b"), ("ab", "ac"), ("a-", "a_", "b"), ("aa", "ab", "b")], ids=str)
def test_endpoints_whose_tokens_differ_in_their_beginning_start(make: Make, prefixes: tuple[str, ...]) -> None:
    """None begins with another's."""
    make(*(issuer(url=f"https://id{n}.example", prefix=one, grants="everything") for n, one in enumerate(prefixes)))


async def test_an_issuer_that_is_asked_about_all_its_tokens_is_asked_about_its_jwts(
    make: Make, mint: FakeIssuer, endpoint: Endpoint
) -> None:
    """``token_format = introspection``: its answer stands, whoever signed the JWT; its keys are not fetched."""
    api = make(issuer(token_format="introspection"))
    token = mint.mint.access_token(key=SigningKey.generate("ES256"))
    assert await kind(api, token) is None
    assert endpoint.asked == [token]
    assert mint.requests == []
    endpoint.say(active=False)
    assert await kind(api, mint.token()) == "revoked"


@pytest.mark.parametrize("iss", [URL + "/", URL.upper(), "https://evil.example", "", None, 5, [URL], {"a": URL}])
async def test_a_jwt_of_nobody_we_know_is_shown_to_nobody(
    make: Make, mint: FakeIssuer, endpoint: Endpoint, iss: object
) -> None:
    """T20, RFC 8725 §3.8: the unverified payload answers one question, whose endpoint to ask, and to the letter."""
    assert await kind(make(issuer(token_format="introspection")), mint.token(iss=iss)) == "wrong_issuer"
    assert endpoint.questions == []
    assert mint.requests == []


async def test_a_jwt_of_another_issuer_is_judged_by_that_one_s_ways(
    make: Make, mint: FakeIssuer, make_issuer: Callable[..., FakeIssuer], endpoint: Endpoint
) -> None:
    """One issuer's endpoint is never shown another's token."""
    ours: Issuer = issuer(introspection=None, grants="everything")
    partner = issuer(url=PARTNER, endpoint=f"{PARTNER}/introspect", token_format="introspection", grants="everything")
    api = make(ours, partner)
    assert await kind(api, mint.token()) is None
    assert await kind(api, mint.token(exp=1)) == "expired"
    assert endpoint.questions == []
    endpoint.say(iss=PARTNER)
    assert await kind(api, make_issuer(PARTNER).token()) is None
    assert [question.url for question in endpoint.questions] == [f"{PARTNER}/introspect"]


@pytest.mark.parametrize("name", ["alg twice, a text first", "alg twice, a text last", "a dangling character"])
def test_the_shape_is_read_as_a_careless_reader_would(name: str) -> None:
    """What two readers understand differently is a JWT to us, and so judged by the strict one."""
    assert payload_of_jwt(lookalikes(FakeIssuer(URL))[name]) is not None


def test_a_shape_that_nobody_can_read_is_none() -> None:
    """Nor does it fail: T28."""
    deep = base64url(b"[" * 100_000)
    assert payload_of_jwt(f"{deep}.{deep}.AA") is None
    assert payload_of_jwt(base64url(b'{"alg":"x"}') + f".{deep}.AA") == {}

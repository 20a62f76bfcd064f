"""RFC 9068: access tokens that are JWTs."""

import pytest

from resource_server.development.minting import OMIT, SigningKey
from resource_server.issuers.fetch import Fetched
from tests.rfc.challenges import challenges
from tests.rfc.checklist import requirement
from tests.rfc.probe import ORIGIN, Probe
from tests.rfc.provocations import refusals
from tests.rfc.tokens import claims

FORGER = SigningKey.generate("ES256")


@requirement("RS-9068-4-a")
@pytest.mark.parametrize(
    ("typ", "status"),
    [
        ("at+jwt", 200),
        ("application/at+jwt", 200),
        ("JWT", 401),
        ("id_token+jwt", 401),
        ("logout+jwt", 401),
        (OMIT, 401),
    ],
)
async def test_rs_9068_4_a_the_type_is_that_of_an_access_token(small: Probe, typ: object, status: int) -> None:
    """RFC 9068 §4, first bullet."""
    assert await small.status(small.token(header={"typ": typ})) == status


@requirement("RS-9068-4-c")
@pytest.mark.parametrize(
    "named",
    [
        "https://id.example.com/",
        "https://ID.example.com",
        "HTTPS://id.example.com",
        "https://id.example.com:443",
        "http://id.example.com",
        "https://id.example.com.",
        "https://id.example.com/tenant",
        "https://id.example.com?",
        "https://id.example.com#",
        "https://user@id.example.com",
        " https://id.example.com",
        "id.example.com",
        "",
        None,
        5,
        ["https://id.example.com"],
        OMIT,
    ],
)
async def test_rs_9068_4_c_the_issuer_is_ours_to_the_letter(small: Probe, named: object) -> None:
    """RFC 9068 §4: exactly, without normalisation."""
    assert await small.status(small.token(iss=named)) == 401


@requirement("RS-9068-4-c")
async def test_rs_9068_4_c_a_configured_slash_is_part_of_the_name(api: Probe) -> None:
    """RFC 9068 §4: the other way round."""

    async def fetch(url: str) -> Fetched:
        document = (await api.issuer.fetch(url)).document
        return Fetched(document | ({} if url.endswith("/jwks") else {"issuer": "https://id.example.com/"}))

    other = api.but(trust={"url": "https://id.example.com/"}, fetch=fetch)
    assert await other.status(api.token(iss="https://id.example.com/")) == 200
    assert await other.status(api.token()) == 401


@requirement("RS-9068-4-d")
@pytest.mark.parametrize(
    ("audience", "status"),
    [
        pytest.param(ORIGIN, 200, id="ours"),
        pytest.param(["urn:x", ORIGIN], 200, id="ours-among-others"),
        pytest.param("https://other.example.com", 401, id="other"),
        pytest.param("example-client", 401, id="the-client"),
        pytest.param("https://id.example.com", 401, id="the-issuer"),
        pytest.param(OMIT, 401, id="none"),
    ],
)
async def test_rs_9068_4_d_the_audience_contains_our_identifier(small: Probe, audience: object, status: int) -> None:
    """RFC 9068 §4."""
    assert await small.status(small.token(aud=audience)) == status


@requirement("RS-9068-4-d")
async def test_rs_9068_4_d_one_of_several_identifiers_is_enough(api: Probe) -> None:
    """RFC 9068 §4; ruling 13: additional audiences by explicit list only."""
    several = api.but(trust={"audience": [ORIGIN, "urn:example:api"]})
    for audience, status in ((ORIGIN, 200), ("urn:example:api", 200), ("urn:example:other", 401)):
        assert await several.status(api.token(aud=audience)) == status


@requirement("RS-9068-4-e")
async def test_rs_9068_4_e_the_signature_is_the_issuers(api: Probe) -> None:
    """RFC 9068 §4: valid, by a key that the issuer publishes, and not by none."""
    known = api.issuer.mint.keys[0].kid
    forgeries = [
        api.token(key=FORGER),
        api.token(key=FORGER, header={"kid": known}),
        api.token(key=FORGER, header={"kid": OMIT}),
        api.token(header={"alg": "none"}),
        api.token().rpartition(".")[0] + ".",
    ]
    assert [await api.status(token) for token in forgeries] == [401] * 5
    first, other = api.token(), api.token(scope="orders:read orders:write")
    spliced = ".".join([*first.split(".")[:1], other.split(".")[1], first.split(".")[2]])
    assert await api.status(spliced) == 401


@requirement("RS-9068-4-f")
async def test_rs_9068_4_f_now_is_before_the_expiry(api: Probe) -> None:
    """RFC 9068 §4: but for a small leeway, here of 30 seconds."""
    now = int(api.time.wall)
    for past, status in ((-1, 200), (0, 200), (29, 200), (30, 401), (3600, 401)):
        assert await api.status(api.token(exp=now - past)) == status, past


@requirement("RS-9068-4-g")
async def test_rs_9068_4_g_each_failure_is_an_invalid_token(api: Probe) -> None:
    """RFC 9068 §4, last paragraph but one: the error code of RFC 6750 §3.1."""
    rows = [f"D{number:02}" for number in (6, 7, 8, 9, 10, 11, 12, 14)]
    for name, response in (await refusals(api, *rows)).items():
        told = (response.status_code, challenges(response)[0].get("error"), response.json()["error"])
        assert told == (401, "invalid_token", "invalid_token"), name


@requirement("RS-9068-2.2-a")
@pytest.mark.parametrize("name", ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"])
async def test_rs_9068_2_2_a_a_token_without_a_required_claim_is_refused(small: Probe, name: str) -> None:
    """RFC 9068 §2.2: absent, null, empty or of another type."""
    kind = type(claims(small)[name])
    others: list[object] = [OMIT, None, True, {}, "", 5 if kind is str else "5", [5]]
    for value in others:
        assert await small.status(small.token(**{name: value})) == 401, value


@requirement("RS-9068-2.2.3-a")
@pytest.mark.parametrize(
    ("roles", "status"),
    [
        pytest.param(["admin"], 200, id="text"),
        pytest.param([{"value": "admin", "display": "Administrator"}], 200, id="scim-object"),
        pytest.param(["editor", {"value": "admin"}], 200, id="mixed"),
        pytest.param(["editor"], 403, id="another"),
        pytest.param([], 403, id="none"),
        pytest.param(OMIT, 403, id="absent"),
        pytest.param(["Admin"], 403, id="in-another-case"),
        pytest.param(["administrator"], 403, id="longer"),
        pytest.param([{"display": "admin"}], 401, id="object-without-a-value"),
        pytest.param([1], 401, id="number"),
    ],
)
async def test_rs_9068_2_2_3_a_roles_authorize_and_their_absence_is_403(
    small: Probe, roles: object, status: int
) -> None:
    """RFC 9068 §2.2.3.1, RFC 7643 §4.1.2: 401 is for a claim that can't be read."""
    assert await small.status(small.token(roles=roles), "/admin/dashboard") == status


@requirement("RS-9068-2.2.1-a")
async def test_rs_9068_2_2_1_a_the_login_counts_and_not_the_issuing(api: Probe) -> None:
    """RFC 9068 §2.2.1: a refreshed token is new, its auth_time is not."""
    now = int(api.time.wall)
    for claim, status in (
        ({"auth_time": now - 10}, 200),
        ({"auth_time": now - 301, "iat": now}, 401),
        ({"auth_time": now + 5}, 200),
        ({"auth_time": now + 600}, 401),
        ({"iat": now}, 401),
        ({"auth_time": str(now)}, 401),
        ({"auth_time": True}, 401),
        ({"auth_time": now - 10, "acr": "pwd"}, 401),
        ({"auth_time": now - 10, "acr": OMIT, "amr": ["mfa"]}, 401),
    ):
        token = api.token(**{"acr": "urn:example:mfa"} | claim)
        assert await api.status(token, "/step-up") == status, claim


@requirement("RS-9068-5-a")
async def test_rs_9068_5_a_a_client_is_not_taken_for_a_user(api: Probe) -> None:
    """RFC 9068 §5: a client may have been registered under a user's name."""
    assert await api.status(api.token(sub="alice", client_id="web"), "/mail/alice") == 200
    assert await api.status(api.token(sub="alice", client_id="alice"), "/mail/alice") == 403

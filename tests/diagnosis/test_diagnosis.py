"""What is found about an issuer whose answers are scripted: https, private networks, several issuers, files."""

import json
from pathlib import Path
from typing import Any

import pytest

from resource_server.diagnosis import Diagnosis, Outcome, Spelling, diagnose
from resource_server.diagnosis.key_set import MOST_SHOWN
from resource_server.issuers.fetch import Fault, Fetched, FetchError
from resource_server.issuers.grants import Grants
from resource_server.issuers.issuer import Issuer
from tests.diagnosis.crooked import KEY, marks, told
from tests.issuers.key_kinds import rsa_jwk
from tests.turnable_clock import START, TurnableClock

PUBLIC = "https://id.example.com"
PRIVATE = "https://keycloak.internal:8443/realms/a"
KEYS = {"keys": [KEY.public_jwk]}


class Network:
    """Answers by URL; nobody is at another."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def __call__(self, url: str) -> Fetched:
        self.asked.append(url)
        answer = self.answers.get(url, FetchError(f"{url}: status 404", Fault.STATUS, status=404))
        if isinstance(answer, FetchError):
            raise answer
        return answer if isinstance(answer, Fetched) else Fetched(answer)


def good(url: str = PUBLIC, **members: Any) -> dict[str, Any]:
    """An issuer's metadata and keys, but for some members of the metadata."""
    document = {"issuer": url, "jwks_uri": f"{PUBLIC}/keys"} | members
    return {f"{url}/.well-known/openid-configuration": document, f"{PUBLIC}/keys": KEYS}


async def examine(answers: dict[str, Any], *, url: str = PUBLIC, table: int | None = None, **options: Any) -> Diagnosis:
    issuer = Issuer(url=url, audience="https://api.example.com", **options)
    clock = TurnableClock().clock
    return await diagnose(issuer, alone=table is None, spelling=Spelling(table), clock=clock, fetch=Network(answers))


async def test_an_issuer_that_is_asked_privately_and_named_publicly_gets_both_settings() -> None:
    """DESIGN §6: the split horizon of a private network."""
    diagnosis = await examine(good(PRIVATE, issuer=PUBLIC), url=PRIVATE)
    assert marks(diagnosis) == {"issuer": "✘"}
    found, expected, cure = told(diagnosis, "issuer")
    assert (found, expected) == (PUBLIC, PRIVATE)
    assert cure == (
        "it is asked at a private address and calls itself by its public name, as its tokens do: set "
        f"RESOURCE_SERVER_ISSUER={PUBLIC}, and, if this machine can't ask it by that name, "
        f"RESOURCE_SERVER_METADATA_URL={PRIVATE}/.well-known/openid-configuration (or RESOURCE_SERVER_JWKS_URI)"
    )


@pytest.mark.parametrize("host", ["10.0.0.7", "keycloak", "id.svc", "id.home.arpa", "[fd00::1]", "id.corp"])
async def test_a_private_host_is_known_by_its_address_or_its_name(host: str) -> None:
    """DESIGN §6; no name server is asked."""
    diagnosis = await examine(good(f"https://{host}", issuer=PUBLIC), url=f"https://{host}")
    assert "it is asked at a private address" in told(diagnosis, "issuer")[2]


async def test_a_private_name_for_a_private_address_is_no_split_horizon() -> None:
    """DESIGN §6."""
    other = "https://other.internal"
    diagnosis = await examine(good(PRIVATE, issuer=other), url=PRIVATE)
    assert told(diagnosis, "issuer")[2].startswith(f"if that is your issuer, set RESOURCE_SERVER_ISSUER={other}:")


async def test_that_cure_is_one() -> None:
    """DESIGN §6: what it says, done."""
    answers = good(PRIVATE, issuer=PUBLIC)
    diagnosis = await examine(answers, metadata_url=f"{PRIVATE}/.well-known/openid-configuration")
    assert (marks(diagnosis), diagnosis.outcome) == ({}, Outcome.FINE)
    assert [check.name for check in diagnosis.checks].count("discovery") == 1


async def test_an_issuer_of_another_public_host_may_be_the_one_that_is_meant() -> None:
    """RFC 8414 §3.3: it is not taken for that one."""
    diagnosis = await examine(good(issuer="https://login.example.com"))
    assert told(diagnosis, "issuer")[2] == (
        "if that is your issuer, set RESOURCE_SERVER_ISSUER=https://login.example.com: its tokens bear that name"
    )


@pytest.mark.parametrize("host", ["http://id.example.com/keys", "http://127.0.0.1/keys"])
async def test_what_an_https_issuer_names_must_be_https(host: str) -> None:
    """T23: loopback is no excuse."""
    diagnosis = await examine(good(jwks_uri=host))
    assert marks(diagnosis) == {"jwks_uri": "✘"}
    found, expected, cure = told(diagnosis, "jwks_uri")
    assert (found, expected) == (host, "an https address")
    assert cure.endswith(f"set RESOURCE_SERVER_JWKS_URI=https{host[4:]}")


async def test_beside_a_metadata_url_the_jwks_uri_comes_in_its_place() -> None:
    """DESIGN §5: the two contradict each other."""
    answers = {"https://m.example.com/": {"issuer": PUBLIC}}
    diagnosis = await examine(answers, metadata_url="https://m.example.com/")
    assert told(diagnosis, "jwks_uri")[2].endswith(" in the place of RESOURCE_SERVER_METADATA_URL")


async def test_a_configured_jwks_uri_is_all_that_is_asked() -> None:
    """DESIGN §5: it skips discovery."""
    network = Network({f"{PUBLIC}/keys": KEYS})
    issuer = Issuer(url=PUBLIC, audience="a", jwks_uri=f"{PUBLIC}/keys")
    diagnosis = await diagnose(issuer, alone=True, fetch=network)
    assert (diagnosis.outcome, network.asked) == (Outcome.FINE, [f"{PUBLIC}/keys"])
    assert diagnosis.checks[0].found == f"discovery is skipped, and {PUBLIC}/keys asked for its keys"


async def test_keys_of_a_file_are_examined_and_nobody_is_asked(tmp_path: Path) -> None:
    """DESIGN §5."""
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(KEYS))
    network = Network({})
    issuer = Issuer(url=PUBLIC, audience="a", jwks_file=path)
    diagnosis = await diagnose(issuer, alone=True, fetch=network)
    assert (diagnosis.outcome, network.asked) == (Outcome.FINE, [])
    assert told(diagnosis, "keys")[0] == "1 of 1 usable"
    path.write_text("{")
    diagnosis = await diagnose(issuer, alone=True, fetch=network)
    assert told(diagnosis, "key_set") == (
        f"{path}: JSONDecodeError",
        "",
        "RESOURCE_SERVER_JWKS_FILE has to name a file with a JWK Set",
    )


@pytest.mark.parametrize(
    ("lifetime", "said"),
    [
        pytest.param(None, "kept for 600 s: no Cache-Control says otherwise", id="not-said"),
        pytest.param(300.0, "kept for 300 s by Cache-Control", id="as-said"),
        pytest.param(0.0, "kept for 10 s by Cache-Control, which allows 0 s", id="floor"),
        pytest.param(86_400.0, "kept for 600 s by Cache-Control, which allows 86400 s", id="ceiling"),
    ],
)
async def test_the_life_of_keys_is_told_as_the_server_bounds_it(lifetime: float | None, said: str) -> None:
    """T7: 10 s to 10 min."""
    diagnosis = await examine(good() | {f"{PUBLIC}/keys": Fetched(KEYS, lifetime, size=77)})
    assert told(diagnosis, "key_set")[0] == f"77 bytes, {said}"


async def test_the_least_difference_of_clocks_counts() -> None:
    """RFC 9111 §4.2.3: a cache that hides its age sends an old Date, and never a young one."""
    answers = good()
    document = answers[f"{PUBLIC}/.well-known/openid-configuration"]
    answers |= {
        f"{PUBLIC}/.well-known/openid-configuration": Fetched(document, date=START - 7200),
        f"{PUBLIC}/keys": Fetched(KEYS, date=START),
    }
    assert marks(await examine(answers)) == {}


@pytest.mark.parametrize(
    ("options", "mark", "found"),
    [
        pytest.param({}, "!", "nothing: its tokens open only what needs any valid token", id="not-said"),
        pytest.param({"grants": Grants()}, None, "nothing, as configured", id="nothing"),
        pytest.param({"grants": "everything"}, None, "everything that its tokens say counts here", id="everything"),
        pytest.param(
            {"grants": Grants(scopes=["b", "a"], roles=["editor"])}, None, "scopes: a, b; roles: editor", id="some"
        ),
    ],
)
async def test_of_several_issuers_each_says_what_it_grants(
    options: dict[str, Any], mark: str | None, found: str
) -> None:
    """T1."""
    diagnosis = await examine(good(), table=2, **options)
    assert (marks(diagnosis).get("grants"), told(diagnosis, "grants")[0]) == (mark, found)
    cure = "say what it may grant: grants in [[issuers]] table 2 takes scopes, roles, groups, or everything"
    assert told(diagnosis, "grants")[2] == (cure if mark else "")


async def test_every_tenant_of_the_world_is_a_warning() -> None:
    """T19."""
    url = PUBLIC + "/{tenantid}/v2.0"
    metadata_url = f"{PUBLIC}/common"
    answers = {metadata_url: {"issuer": url, "jwks_uri": f"{PUBLIC}/keys"}, f"{PUBLIC}/keys": KEYS}
    options: dict[str, Any] = {"metadata_url": metadata_url}
    diagnosis = await examine(answers, url=url, allow_any_tenant_of_the_world=True, **options)
    assert marks(diagnosis) == {"grants": "!", "tenants": "!"}
    options["grants"] = "everything"
    diagnosis = await examine(answers, url=url, allow_any_tenant_of_the_world=True, **options)
    assert marks(diagnosis) == {"tenants": "!"}
    assert told(diagnosis, "tenants")[2] == "list those whom you trust in RESOURCE_SERVER_TENANTS"
    assert marks(await examine(answers, url=url, tenants=["a"], **options)) == {}


async def test_in_a_table_the_cure_is_a_line_of_toml() -> None:
    """DESIGN §6: the exact setting line."""
    wrong = await examine(good(issuer=PUBLIC + "/"), table=3, grants="everything")
    assert told(wrong, "issuer")[2] == (
        f'differs only by a trailing slash; set issuer = "{PUBLIC}/" in [[issuers]] table 3'
    )
    keys = {f"{PUBLIC}/keys": {"keys": [KEY.public_jwk]}}
    wrong = await examine(good() | keys, table=1, grants="everything", algorithms=["RS256"])
    assert told(wrong, "keys")[2] == 'set algorithms = ["ES256"] in [[issuers]] table 1'


async def test_the_algorithms_that_are_proposed_are_the_defaults_where_these_do() -> None:
    """T17: the others cost more to refuse."""
    keys = {f"{PUBLIC}/keys": {"keys": [rsa_jwk() | {"kid": "a"}]}}
    diagnosis = await examine(good() | keys, algorithms=["ES256"])
    assert told(diagnosis, "keys")[2] == "set RESOURCE_SERVER_ALGORITHMS=RS256,PS256"


async def test_what_the_metadata_says_of_algorithms_is_information_alone() -> None:
    """RS-8414-2-a: it speaks of ID tokens, and never widens the allow-list."""
    diagnosis = await examine(good(id_token_signing_alg_values_supported=["HS256", "none", 1]))
    assert (marks(diagnosis), diagnosis.outcome) == ({}, Outcome.FINE)
    assert told(diagnosis, "metadata")[0] == (
        "its ID tokens are signed by HS256, none; its access tokens may be by others"
    )


async def test_allowed_algorithms_without_a_key_are_told() -> None:
    """DESIGN §6."""
    diagnosis = await examine(good(), algorithms=["ES256", "RS256"])
    assert told(diagnosis, "algorithms")[0] == "ES256; no key is there for RS256, which are allowed too"


async def test_many_keys_are_counted_and_some_shown() -> None:
    """A set may have a thousand."""
    many = [rsa_jwk(2048) | {"kid": f"k{number}"} for number in range(MOST_SHOWN + 1)]
    diagnosis = await examine(good() | {f"{PUBLIC}/keys": {"keys": many}})
    shown = [check.found for check in diagnosis.checks if check.name == "key"]
    assert (len(shown), shown[-1]) == (MOST_SHOWN + 1, "and 1 more")
    assert told(diagnosis, "keys")[0] == f"{MOST_SHOWN + 1} of {MOST_SHOWN + 1} usable"


@pytest.mark.parametrize("value", [None, 1, [], {}, "", " ", "x" * 100_000, "\udcff", "http://[", "https://a b", "x:y"])
async def test_whatever_the_metadata_says_there_is_a_diagnosis(value: Any) -> None:
    """T28: it is a stranger's text until it is proven the issuer's; it is cut, and never trips the doctor."""
    for name in ("issuer", "jwks_uri", "id_token_signing_alg_values_supported"):
        diagnosis = await examine(good(**{name: value}))
        assert all(len(check.found) < 500 and len(check.cure) < 1000 for check in diagnosis.checks)
        assert all(check.found for check in diagnosis.checks)


@pytest.mark.parametrize(
    "jwk",
    [
        *({"kty": "RSA", "n": n, "e": "AQAB"} for n in (None, 1, "", "!", "x" * 100_000, "é")),
        *({"kty": kty, "crv": [], "kid": kid} for kty, kid in (([], {}), (None, 1), ("x" * 9999, "x" * 9999))),
        {"keys": []},
        None,
        [],
    ],
)
async def test_whatever_stands_in_a_key_set_there_is_a_diagnosis(jwk: Any) -> None:
    """RS-7517-4-a: one bad key never poisons the rest."""
    diagnosis = await examine(good() | {f"{PUBLIC}/keys": {"keys": [jwk, KEY.public_jwk]}})
    assert told(diagnosis, "keys")[0] == "1 of 2 usable"
    assert all(len(check.found) < 1000 for check in diagnosis.checks)

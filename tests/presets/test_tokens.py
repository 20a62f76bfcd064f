"""Each provider's tokens, at an API that trusts the provider by its preset (T18, T19)."""

from typing import Any

import pytest

from resource_server import Kind
from tests.presets.providers import MINT, PROVIDERS, TOKENS, Api, Provider, Token

ACCEPTED = [token for token in TOKENS if token.is_accepted]
REFUSED = [token for token in TOKENS if not token.is_accepted]
FIRST = [next(token for token in tokens if token.is_accepted) for _, tokens in PROVIDERS.values()]
"""One good token of each configuration."""
OTHER_TYPES = (
    "logout+jwt", "dpop+jwt", "secevent+jwt", "id_token+jwt", "token-introspection+jwt", "statuslist+jwt", "JWS", "",
)  # fmt: skip


def identified(token: Token) -> str:
    return f"{token.provider.name}-{token.name}"


def api_of(provider: Provider, **key_members: Any) -> Api:
    return Api(provider.issuer(), provider.metadata, key_members)


@pytest.mark.parametrize("token", ACCEPTED, ids=identified)
def test_an_access_token_of_a_provider_is_read_as_it_is_meant(token: Token) -> None:
    """Known pains 10 to 14, ruling 24: who calls, by which client, with which scopes, roles and groups."""
    status, answer, kind = api_of(token.provider).call(token.mint())
    assert (status, kind) == (200, None)
    expected = {name: value for name, value in token.expected.items() if name != "strict"}
    assert answer == {name: sorted(value) if isinstance(value, list) else value for name, value in expected.items()}


@pytest.mark.parametrize("token", REFUSED, ids=identified)
def test_another_token_of_a_provider_is_refused(token: Token) -> None:
    """T18: the ID token in its worst case, and what else the provider's keys sign; known pains 11 to 13."""
    status, answer, kind = api_of(token.provider).call(token.mint())
    assert (status, answer["error"], kind) == (401, "invalid_token", Kind(token.expected["kind"]))


@pytest.mark.parametrize("token", ACCEPTED, ids=identified)
def test_the_strict_preset_takes_of_a_provider_only_what_is_rfc_9068(token: Token) -> None:
    """Ruling 14: a looser typ is let in by the provider's preset alone."""
    name = token.payload["iss"]
    issuer = token.provider.strict(name)
    metadata = f"{name.rstrip('/')}/.well-known/openid-configuration"
    status, _, kind = Api(issuer, metadata).call(token.mint())
    strict = token.expected["strict"]
    assert (status, kind) == ((200, None) if strict is None else (401, Kind(strict)))


@pytest.mark.parametrize("token", [token for token in ACCEPTED if token.provider.issuer().markers], ids=identified)
def test_an_access_token_without_its_marks_is_no_access_token(token: Token) -> None:
    """T18: the marks are what is demanded, so the tokens above were not accepted for anything else."""
    issuer = token.provider.issuer()
    for alternative in issuer.markers:
        others = {name for other in issuer.markers for name in other} - set(alternative)
        for name in alternative:
            _, _, kind = api_of(token.provider).call(token.mint_without(name, *others))
            assert kind is Kind.WRONG_TOKEN_TYPE, name


@pytest.mark.parametrize("token", FIRST, ids=identified)
@pytest.mark.parametrize("typ", OTHER_TYPES)
def test_jwts_of_other_kinds_stay_refused_by_every_preset(token: Token, typ: str) -> None:
    """T18: ACCEPT_TYP is a closed list, even for claims that would do."""
    status, _, kind = api_of(token.provider).call(token.mint({"typ": typ}))
    assert (status, kind) == (401, Kind.WRONG_TOKEN_TYPE)


@pytest.mark.parametrize("token", FIRST, ids=identified)
def test_an_access_token_for_another_api_is_refused(token: Token) -> None:
    """RS-9068-4-d: by every preset, in whatever claim the audience is."""
    claim = token.provider.issuer().audience_claim
    for other in ("other", ["other"], [], None) if claim == "aud" else ("other",):
        status, _, kind = api_of(token.provider).call(MINT.sign(token.payload | {claim: other}, token.header))
        assert (status, kind) == (401, Kind.WRONG_AUDIENCE)


@pytest.mark.parametrize("token", FIRST, ids=identified)
def test_the_keys_come_from_where_the_provider_documents_its_metadata(token: Token) -> None:
    """Known pain 13: tokens of Entra's version 1.0 have other metadata than their issuer's name says."""
    api = api_of(token.provider)
    api.call(token.mint())
    assert api.requests[0] == token.provider.metadata


@pytest.mark.parametrize("name", ["entra-tenants"])
@pytest.mark.parametrize(
    ("key_issuer", "kind"),
    [
        pytest.param("https://login.microsoftonline.com/{tenantid}/v2.0", None, id="of-every-tenant"),
        pytest.param(
            "https://login.microsoftonline.com/11111111-aaaa-bbbb-cccc-222222222222/v2.0", None, id="of-this-tenant"
        ),
        pytest.param(
            "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
            Kind.WRONG_ISSUER,
            id="of-the-tenant-for-everybody",
        ),
    ],
)
def test_a_key_of_one_tenant_signs_for_no_other(name: str, key_issuer: str, kind: Kind | None) -> None:
    """T19: Entra's document for all tenants has keys that are one tenant's."""
    provider, tokens = PROVIDERS[name]
    [token] = [token for token in tokens if token.is_accepted]
    assert api_of(provider, issuer=key_issuer).call(token.mint())[2] is kind

"""What a preset makes of what is configured, and the sentence for what can't be meant."""

import re
from typing import Any

import pytest

from resource_server import ConfigurationError, Issuer
from resource_server.issuers.presets import PRESETS, entra, google, keycloak, zitadel
from tests.presets.providers import FIXTURES, PROVIDERS, Provider

CONFIGURATIONS = [pytest.param(provider, id=name) for name, (provider, _) in PROVIDERS.items()]
WRONG = [
    pytest.param(provider, wrong, id=f"{name}-{number}")
    for name, (provider, _) in PROVIDERS.items()
    for number, wrong in enumerate(provider.wrong)
]
ISSUES_NOTHING = {"google"}
TENANT = "11111111-aaaa-bbbb-cccc-222222222222"
APPLICATION = "00001111-aaaa-2222-bbbb-3333cccc4444"
SOVEREIGN = "https://login.partner.microsoftonline.cn"


def test_each_preset_has_fixtures_of_what_it_accepts_and_of_the_worst_id_token() -> None:
    """T18: a preset without them is an assertion that nobody has checked."""
    told = {provider.preset for provider, _ in PROVIDERS.values()}
    assert told == PRESETS.keys() - ISSUES_NOTHING
    for name, (_, tokens) in PROVIDERS.items():
        assert any(token.is_accepted for token in tokens), name
        assert any(token.name == "other-id" and not token.is_accepted for token in tokens), name
    for preset in told:
        assert any(provider.wrong for provider, _ in PROVIDERS.values() if provider.preset == preset), preset
    assert {path.name for path in FIXTURES.iterdir()} == set(PROVIDERS)


def test_the_worst_id_tokens_are_the_worst() -> None:
    """T18: azp, no nonce, no at_hash, and the audience of the API wherever the provider can be made to write it."""
    for name, (provider, tokens) in PROVIDERS.items():
        [token] = [token for token in tokens if token.name == "other-id"]
        issuer = provider.issuer()
        audience = token.payload.get(issuer.audience_claim)
        named = {audience} if isinstance(audience, str) else set(audience or ())
        assert issuer.audience_is_no_client_id or named & issuer.audiences, name
        assert not {"nonce", "at_hash", "c_hash"} & token.payload.keys(), name
        assert "azp" in token.payload, name


@pytest.mark.parametrize(("provider", "wrong"), WRONG)
def test_a_preset_says_how_its_provider_s_url_and_audience_are_written(
    provider: Provider, wrong: dict[str, Any]
) -> None:
    """Known pains 11 to 13, 21: one sentence that names the setting and the cure."""
    changed = {name: value for name, value in wrong.items() if name not in ("sentence", "options")}
    with pytest.raises(ConfigurationError) as caught:
        provider.issuer(**changed, **wrong.get("options", {}))
    assert str(caught.value) == wrong["sentence"]


def test_google_ends_the_start() -> None:
    """T18: Google issues no access tokens for your API."""
    for url in ("https://accounts.google.com", ""):
        with pytest.raises(ConfigurationError) as caught:
            google(url, audience="https://api.example.com", leeway=5)
        assert str(caught.value).startswith(
            "preset can't be google: Google issues access tokens for its own APIs alone"
        )


@pytest.mark.parametrize("provider", CONFIGURATIONS)
def test_options_win_over_the_preset(provider: Provider) -> None:
    """A preset is data that stands behind what is configured."""
    options: dict[str, Any] = {
        "leeway": 5,
        "accept_typ": ("at+jwt",),
        "markers": ({"use": "access"},),
        "client_id_claim": "client",
        "required_claims": ("a", "b"),
        "scope_claim": "scopes",
        "scope_shape": "text",
        "roles_claim": ("my", "roles"),
        "roles_shape": "names",
    }
    issuer = provider.issuer(**options)
    stripped = {name: getattr(issuer, name) for name in options}
    assert stripped == options | {"markers": ({"use": ("access",)},)}


@pytest.mark.parametrize("provider", CONFIGURATIONS)
def test_a_preset_lets_no_type_in_that_nothing_tells_apart(provider: Provider) -> None:
    """T18: a loosened typ comes with a mark of access tokens, or with an audience that is no client's id."""
    issuer = provider.issuer()
    assert issuer.markers or issuer.audience_is_no_client_id or tuple(issuer.accept_typ) == ("at+jwt",)


@pytest.mark.parametrize("provider", [one for one, _ in PROVIDERS.values() if one.preset not in ("cognito", "entra")])
def test_plain_http_is_for_loopback_alone(provider: Provider) -> None:
    """T23: a preset's pattern does not take the place of the check of the URL; two patterns demand https themselves."""
    with pytest.raises(ConfigurationError) as caught:
        provider.issuer(url=provider.url.replace("https:", "http:"))
    assert "must be https" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/realms/shop",
        "http://localhost:8080/auth/realms/shop",
        "https://id.example.com/a/b/realms/x",
    ],
)
def test_a_keycloak_may_be_on_this_machine_and_below_a_path(url: str) -> None:
    """First steps: a container on loopback."""
    assert keycloak(url, audience="https://api.example.com").url == url


def test_entra_s_document_for_all_tenants_is_that_of_the_same_cloud() -> None:
    """T19: the keys of one cloud sign for no other."""
    template = entra(f"{SOVEREIGN}/{{tenantid}}/v2.0", audience=APPLICATION, tenants=[TENANT])
    assert template.metadata_url == f"{SOVEREIGN}/common/v2.0/.well-known/openid-configuration"
    assert entra(f"{SOVEREIGN}/{TENANT}/v2.0", audience=APPLICATION).metadata_url is None


@pytest.mark.parametrize(
    "url",
    [
        "https://login.microsoftonline.com/{tenantid}/v2.0",
        "https://sts.windows.net/{tenantid}/",
        f"https://sts.windows.net/{TENANT}/",
    ],
)
@pytest.mark.parametrize(
    "options", [{"jwks_uri": "https://keys.example.com/jwks"}, {"metadata_url": "https://m.example.com/"}]
)
def test_where_the_keys_are_configured_no_metadata_is_preset(url: str, options: dict[str, Any]) -> None:
    """An option wins; keys and metadata together contradict each other."""
    tenants = {"tenants": [TENANT]} if "{tenantid}" in url else {}
    issuer = entra(url, audience=APPLICATION, **tenants, **options)
    assert (issuer.jwks_uri, issuer.metadata_url) == (options.get("jwks_uri"), options.get("metadata_url"))


def test_several_projects_of_zitadel_need_a_claim_for_the_roles() -> None:
    """The preset can't choose whose roles count."""
    issuer = zitadel("https://id.example.com", audience=["1", "2"], roles_claim="roles")
    assert issuer.audiences == {"1", "2"}
    assert tuple(issuer.roles_claim) == ("roles",)


def test_every_preset_is_a_function_that_says_what_it_trusts() -> None:
    """Its docstring is what an editor shows."""
    for name, preset in PRESETS.items():
        assert preset.__name__ == name
        assert re.match(r"(Trust|Refuse)\b", preset.__doc__ or ""), name


@pytest.mark.parametrize("provider", CONFIGURATIONS)
def test_a_preset_without_an_audience_is_refused(provider: Provider) -> None:
    """RS-8725-3.9-a: no preset guesses whom a token is for."""
    for audience in ("", [], [""], [1], [None]):
        with pytest.raises(ConfigurationError) as caught:
            provider.issuer(audience=audience)
        assert caught.value.option == "audience"
        assert isinstance(provider.issuer(), Issuer)

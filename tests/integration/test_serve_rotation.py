"""Keys change, and the provider goes and comes, under a constant load of valid requests: nobody is refused."""

from pathlib import Path

from tests.integration.exchange import bearer, send
from tests.integration.identity_provider import ALGORITHMS, API, IdentityProvider
from tests.integration.serving import serving
from tests.integration.steady_load import loading


def tokens(provider: IdentityProvider) -> list[str]:
    """Two of each algorithm."""
    return [provider.client_credentials(algorithm) for algorithm in ALGORITHMS * 2]


def test_two_rotations_of_a_real_provider_under_load_refuse_nobody(oidc_provider: None, tmp_path: Path) -> None:
    """Design §9, known pain 2: 2,000 requests, with tokens from before and after, some of them the first of a key."""
    with (
        IdentityProvider.started(tmp_path / "provider.log") as provider,
        serving(ISSUER=provider.issuer, AUDIENCE=API) as served,
    ):
        known, kids = tokens(provider), {key["kid"] for key in provider.jwks()}
        with loading(served.port, known) as load:
            load.wait_for(400)
            for rotation in (1, 2):
                provider.run.rotate()
                load.wait_for(100)
                new = tokens(provider)
                known = known + new
                load.bear(known)
                load.wait_for(700)
                assert load.times(new) >= 100, rotation
        assert len({key["kid"] for key in provider.jwks()} - kids) == 6
        assert load.statuses.keys() == {200}
        assert load.statuses[200] >= 2000


def test_a_provider_that_is_killed_and_comes_back_under_load_refuses_nobody(
    oidc_provider: None, tmp_path: Path
) -> None:
    """Design §9, D26: keys that are known go on; what is not known is 503 until it is back."""
    keys, log = tmp_path / "keys.json", tmp_path / "provider.log"
    with IdentityProvider.started(log, keys=keys) as provider:
        port = int(provider.issuer.rpartition(":")[2])
        with (
            serving(ISSUER=provider.issuer, AUDIENCE=API) as served,
            loading(served.port, tokens(provider)) as load,
        ):
            load.wait_for(100)
            provider.run.kill()
            load.wait_for(100)
            assert send(served.port, "GET", "/readyz").status == 200
            with IdentityProvider.started(log, port, keys) as again:
                load.wait_for(50)
                new = tokens(again)
                load.bear(new)
                load.wait_for(100)
                again.run.rotate()
                assert send(served.port, "GET", "/api/v1/me", bearer(again.client_credentials())).status == 200
                load.wait_for(100)
        assert load.statuses.keys() == {200}
        assert load.times(new) >= 200

"""One issuer with a name for each of its tenants, which all share its keys (T19)."""

from typing import Any

import pytest

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.grants import NOTHING
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.trusted_issuers import TrustedIssuers
from tests.turnable_clock import TurnableClock

URL = "https://login.example.com/{tenantid}/v2.0"
METADATA = "https://login.example.com/common/v2.0/.well-known/openid-configuration"
ACME, EVIL = "11111111-aaaa-bbbb-cccc-222222222222", "33333333-aaaa-bbbb-cccc-444444444444"


def template(**options: Any) -> Issuer:
    return Issuer(**({"url": URL, "audience": "api", "metadata_url": METADATA, "tenants": [ACME]} | options))


def name_of(tenant: str) -> str:
    return URL.replace("{tenantid}", tenant)


def test_a_tenant_on_the_list_is_trusted_under_its_name_and_no_other_is(time: TurnableClock) -> None:
    """T19: names are built at the start, from the allow-list."""
    issuers = TrustedIssuers([template()], clock=time.clock)
    found = issuers.find(name_of(ACME))
    assert found is not None
    assert (found.name, found.tenant) == (name_of(ACME), ACME)
    for other in (name_of(EVIL), URL, name_of(""), name_of(ACME.upper()), name_of(f"{ACME}/x")):
        assert issuers.find(other) is None, other


@pytest.mark.parametrize(
    "tenant",
    ["", "a/b", "..", "a/../b", "a?b", "a#b", "a%2fb", "a b", "ä", "-", ".", "a\n", "x" * 65, "a@b", "{tenantid}"],
    ids=ascii,
)
def test_any_tenant_of_the_world_still_has_a_strict_name(time: TurnableClock, tenant: str) -> None:
    """T19: the captured tenant matches a strict pattern."""
    issuers = TrustedIssuers([template(tenants=[], allow_any_tenant_of_the_world=True)], clock=time.clock)
    assert issuers.find(name_of(tenant)) is None
    for good in (ACME, EVIL, "contoso.example.com"):
        found = issuers.find(name_of(good))
        assert found is not None
        assert (found.name, found.tenant) == (name_of(good), good)


def test_any_tenant_of_the_world_grants_nothing_by_itself(time: TurnableClock) -> None:
    """T1, T19: anybody can make a tenant, and be its administrator."""
    issuers = TrustedIssuers([template(tenants=[], allow_any_tenant_of_the_world=True)], clock=time.clock)
    assert issuers.grants(name_of(EVIL)) == NOTHING


@pytest.mark.parametrize(
    ("options", "option"),
    [
        pytest.param({"tenants": []}, "tenants", id="no-allow-list"),
        pytest.param({"allow_any_tenant_of_the_world": True}, "tenants", id="a-list-and-everybody"),
        pytest.param({"tenants": ["a/b"]}, "tenants", id="a-path"),
        pytest.param({"tenants": ["*"]}, "tenants", id="a-star"),
        pytest.param({"tenants": "acme"}, "tenants", id="a-text"),
        pytest.param({"metadata_url": None}, "metadata_url", id="no-address"),
        pytest.param({"url": "https://id.example.com"}, "tenants", id="no-placeholder"),
        pytest.param({"url": "https://{tenantid}.example.com/{tenantid}"}, "issuer", id="two-placeholders"),
        pytest.param(
            {"url": "https://id.example.com", "tenants": [], "allow_any_tenant_of_the_world": True},
            "tenants",
            id="everybody-without-placeholder",
        ),
    ],
)
def test_a_template_that_does_not_say_whom_it_trusts_is_refused(options: dict[str, Any], option: str) -> None:
    """T19: a non-empty allow-list, or the loud name."""
    with pytest.raises(ConfigurationError) as caught:
        template(**options)
    assert caught.value.option == option

"""RFC 9700: best current practice for OAuth; RFC 8707: this API's identifier."""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import FastAPI

from resource_server import AccessToken, ConfigurationError, Decision, Issuer, ResourceServer
from tests.rfc.challenges import challenges
from tests.rfc.checklist import requirement
from tests.rfc.probe import ORIGIN, Probe
from tests.rfc.provocations import refusals

MakeApi = Callable[..., Awaitable[Probe]]


@requirement("RS-8707-2-a")
@pytest.mark.parametrize(
    ("resource", "metadata"),
    [
        ("https://rs.example.com", "https://rs.example.com/.well-known/oauth-protected-resource"),
        ("https://rs.example.com/v1", "https://rs.example.com/.well-known/oauth-protected-resource/v1"),
        ("https://RS.example.com:443/v1/", "https://RS.example.com:443/.well-known/oauth-protected-resource/v1/"),
    ],
)
async def test_rs_8707_2_a_one_identifier_is_published_advertised_and_accepted(
    make_api: MakeApi, resource: str, metadata: str
) -> None:
    """RFC 8707 §2, RFC 9728 §3.3: byte for byte, so no URL class may add or drop a slash."""
    api = (await make_api()).but(trust={"audience": resource}, resource=resource)
    advertised = challenges(await api.ask())[0]["resource_metadata"]
    published = (await api.ask(advertised)).json()["resource"]
    accepted = await api.status(api.token(aud=published))
    assert (advertised, published, accepted) == (metadata, resource, 200)
    for other in {resource + "/", resource.rstrip("/"), resource.lower()} - {resource}:
        assert await api.status(api.token(aud=other)) == 401, other


@requirement("RS-8707-2-a")
@pytest.mark.parametrize(
    "resource",
    [
        "https://rs.example.com#fragment",
        "https://rs.example.com#",
        "http://rs.example.com",
        "/v1",
        "rs.example.com",
        "",
        "urn:x:y",
        "https://",
    ],
)
def test_rs_8707_2_a_what_is_no_absolute_https_uri_ends_the_start(resource: str) -> None:
    """RFC 8707 §2: absolute, https, no fragment."""
    with pytest.raises(ConfigurationError, match="resource"):
        ResourceServer("https://id.example.com", audience=ORIGIN, resource=resource)


@requirement("RS-8707-2-a")
@pytest.mark.parametrize("audience", ["https://other.example.com", f"{ORIGIN}/", ["https://a.example", ORIGIN.upper()]])
def test_rs_8707_2_a_an_identifier_that_is_no_accepted_audience_ends_the_start(audience: str | list[str]) -> None:
    """RFC 9728 §7.4: clients ask for tokens by it, and every one of those would be refused."""
    wrong = Issuer(url="https://id.example.com", audience=audience)
    right = Issuer(url="https://login.example.com", audience=ORIGIN)
    for issuers in [wrong], [right, wrong]:
        with pytest.raises(ConfigurationError) as caught:
            ResourceServer(*issuers, resource=ORIGIN)
        assert str(caught.value) == (
            "resource is none of the audiences, so the tokens that clients ask for by it would be refused: "
            f"add {ORIGIN!r} to audience, to the letter"
        )


@requirement("RS-9700-2.3-a")
async def test_rs_9700_2_3_a_each_request_is_judged_for_this_resource_and_this_action(api: Probe) -> None:
    """RFC 9700 §2.3: a remembered token, too, opens what it is meant for and nothing else."""
    token = api.token(sub="alice")
    for _ in range(2):
        answers = [
            await api.status(token, path) for path in ("/orders", "/mail/alice", "/mail/bob", "/both", "/inside")
        ]
        assert answers == [200, 200, 403, 403, 403]
    assert (await api.ask(token=token, method="POST", content=b"{}")).status_code == 403
    assert await api.status(api.token(aud="https://other.example.com")) == 401


@requirement("RS-9700-4.9-a")
async def test_rs_9700_4_9_a_a_route_is_given_facts_and_no_token(bundled: Probe) -> None:
    """RFC 9700 §4.9.3: what a route and an observer get can't be passed on as a credential."""
    decisions: list[Decision] = []
    server = bundled.but(observers=[decisions.append]).server
    app, seen = FastAPI(), list[Any]()
    server.install(app)

    @app.get("/")
    async def root(token: Annotated[AccessToken, server.requires()]) -> None:
        seen.extend([repr(token), str(token), *(getattr(token, field.name) for field in dataclasses.fields(token))])

    secret = bundled.token()
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=ORIGIN) as client:
        response = await client.get("/", headers={"authorization": f"Bearer {secret}"})
    told = repr(seen) + repr(decisions) + repr(server)
    assert (response.status_code, len(decisions), "alice" in told) == (200, 1, True)
    assert [part for part in secret.split(".") if part in told] == []


@requirement("RS-9700-4.9-a")
async def test_rs_9700_4_9_a_a_token_goes_nowhere_else(api: Probe) -> None:
    """RFC 9700 §4.9.3: what leaves for the issuer are plain requests for public documents."""
    answers = await refusals(api)
    assert answers
    assert set(api.issuer.requests) <= {f"{api.issuer.url}/.well-known/openid-configuration", f"{api.issuer.url}/jwks"}


@requirement("RS-9700-4.10.2-a")
async def test_rs_9700_4_10_2_a_a_token_of_another_resource_server_is_refused(api: Probe) -> None:
    """RFC 9700 §4.10.2."""
    elsewhere = api.but(trust={"audience": "https://other.example.com"}, resource="https://other.example.com")
    token = api.token(aud="https://other.example.com")
    assert [await one.status(token) for one in (elsewhere, api)] == [200, 401]


SPOOFED = [
    pytest.param([("x-forwarded-for", "10.0.0.5")], id="x-forwarded-for"),
    pytest.param([("forwarded", "for=10.0.0.5;proto=https")], id="forwarded"),
    pytest.param([("x-real-ip", "10.0.0.5"), ("client-ip", "10.0.0.5"), ("true-client-ip", "10.0.0.5")], id="others"),
    pytest.param([("x-forwarded-for", "10.0.0.5, 10.0.0.6")], id="a-chain"),
]


@requirement("RS-9700-4.13-a")
@pytest.mark.parametrize("spoofed", SPOOFED)
async def test_rs_9700_4_13_a_a_strangers_forwarding_headers_are_ignored(
    api: Probe, spoofed: list[tuple[str | bytes, str | bytes]]
) -> None:
    """RFC 9700 §4.13: without trusted proxies, and from whoever is none of them."""
    behind = api.but(trusted_proxies=["192.0.2.1"])
    told = [("x-forwarded-for", "10.0.0.5"), ("x-forwarded-proto", "https")]
    proxied = await behind.ask("/inside", token=api.token(), headers=told, peer="192.0.2.1")
    assert proxied.status_code == 200
    for one in (api, behind):
        assert (await one.ask("/inside", token=api.token(), headers=spoofed)).status_code == 403


@requirement("RS-9700-4.13-a")
async def test_rs_9700_4_13_a_what_a_stranger_wrote_before_the_proxy_is_not_reached(api: Probe) -> None:
    """RFC 9700 §4.13: the proxy appends; what stands to the left of its word is a stranger's."""
    behind = api.but(trusted_proxies=["192.0.2.1"])
    for hops, status in (("10.0.0.5", 200), ("203.0.113.7", 403), ("10.0.0.5, 203.0.113.7", 403)):
        response = await behind.ask("/inside", token=api.token(), headers=[("x-forwarded-for", hops)], peer="192.0.2.1")
        assert response.status_code == status, hops


@requirement("RS-9700-4.13-a")
@pytest.mark.parametrize(
    "name", ["client-cert", "x-client-cert", "x-ssl-client-verify", "x-user", "x-remote-user", "x-auth-request-user"]
)
async def test_rs_9700_4_13_a_no_other_header_of_a_proxy_is_believed(api: Probe, name: str) -> None:
    """RFC 9700 §4.13: neither a certificate nor a user can be claimed by a header."""
    value = ":MIIB:" if "cert" in name else "alice"
    assert (await api.ask("/mail/alice", headers=[(name, value)])).status_code == 401
    bound = api.token(cnf={"x5t#S256": "x"})
    assert (await api.ask(token=bound, headers=[(name, value)])).status_code == 401


@requirement("RS-9700-4.13-a")
async def test_rs_9700_4_13_a_a_host_header_is_in_no_challenge(api: Probe) -> None:
    """RFC 9700 §4.13: what we say of ourselves is configured."""
    spoofed = await api.ask(headers=[("host", "evil.example"), ("x-forwarded-host", "evil.example")])
    assert challenges(spoofed) == challenges(await api.ask())
    assert "evil" not in spoofed.text + str(spoofed.headers)


@requirement("RS-9700-4.15-a")
async def test_rs_9700_4_15_a_a_client_can_be_told_from_a_user(api: Probe) -> None:
    """RFC 9700 §4.15: owner() does, and a route can."""
    client = api.token(sub="web", client_id="web")
    assert [await api.status(client, path) for path in ("/orders", "/mail/web")] == [200, 403]
    assert await api.status(api.token(sub="web", client_id="other"), "/mail/web") == 200


@requirement("RS-9700-4.3.2-a")
async def test_rs_9700_4_3_2_a_no_token_in_a_uri_is_used_or_given(api: Probe) -> None:
    """RFC 9700 §4.3.2."""
    for path in ("/orders?access_token={}", "/orders?token={}", "/orders;access_token={}", "/orders#access_token={}"):
        response = await api.ask(path.format(api.token()))
        assert response.status_code in (401, 404), path
        assert "location" not in response.headers

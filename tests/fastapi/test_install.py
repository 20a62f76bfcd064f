"""``install``: the metadata document (RFC 9728), and what constructing a resource server refuses."""

from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette

from resource_server import ConfigurationError, Issuer, ResourceServer
from resource_server.testing import FakeIssuer
from tests.calls import call
from tests.fastapi.conftest import MakeApi
from tests.fastapi.ways import ok

WELL_KNOWN = "/.well-known/oauth-protected-resource"
both = pytest.mark.parametrize("protect", ["routes", "all"])


def app_of(api: ResourceServer, protect: str = "routes") -> FastAPI:
    app = FastAPI()
    api.install(app, protect=protect)
    app.get("/notes", dependencies=[api.requires("notes:read")])(ok)
    return app


@both
@pytest.mark.parametrize(
    ("resource", "path"),
    [
        pytest.param("https://api.example.com", WELL_KNOWN, id="root"),
        pytest.param("https://api.example.com/", WELL_KNOWN, id="root-with-slash"),
        pytest.param("https://api.example.com/v1/notes", f"{WELL_KNOWN}/v1/notes", id="path"),
        pytest.param("https://api.example.com:8443/v1", f"{WELL_KNOWN}/v1", id="port"),
    ],
)
async def test_the_metadata_is_public_and_names_the_resource_to_the_letter(
    make_api: MakeApi, issuer: FakeIssuer, protect: str, resource: str, path: str
) -> None:
    """RS-9728-2-a, 3-a, 3.1-a, 3.2-a, 7.10-a, ruling 13; RS-MCP-prm-a."""
    response = await call(app_of(make_api(audience=resource, resource=resource), protect), "GET", path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "max-age=3600"
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.json() == {
        "resource": resource,
        "authorization_servers": [issuer.url],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["notes:read"],
    }


async def test_the_metadata_s_neighbours_are_not_public(make_api: MakeApi) -> None:
    """RS-9728-3-a: one path for one identifier."""
    app = app_of(make_api(audience="https://api.example.com/v1", resource="https://api.example.com/v1"), "all")
    for path in (WELL_KNOWN, f"{WELL_KNOWN}/v1/", f"{WELL_KNOWN}/v2"):
        assert (await call(app, "GET", path)).status_code == 401, path
    assert (await call(app, "POST", f"{WELL_KNOWN}/v1")).status_code == 405


async def test_the_challenge_points_to_the_metadata_whatever_host_was_asked(make_api: MakeApi) -> None:
    """RS-9728-5.1-a: built from configuration, not from the Host header."""
    app = app_of(make_api(audience="https://api.example.com/v1", resource="https://api.example.com/v1"))
    headers = {"host": "evil.example", "x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}
    response = await call(app, "GET", "/notes", headers=headers)
    assert response.headers["www-authenticate"] == (
        'Bearer realm="api", scope="notes:read", '
        'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/v1"'
    )


@both
async def test_without_a_resource_there_is_no_metadata(api: ResourceServer, issuer: FakeIssuer, protect: str) -> None:
    """RS-9728-3.2-a: nothing is invented."""
    response = await call(app_of(api, protect), "GET", WELL_KNOWN, token=issuer.token())
    assert response.status_code == 404


async def test_the_realm_is_quoted_and_constant(make_api: MakeApi, issuer: FakeIssuer) -> None:
    """RS-9110-11.2-b, RS-9110-11.5-a: backslash-escaped; the same for two users."""
    app = app_of(make_api(realm='a"b\\c'))
    expected = 'Bearer realm="a\\"b\\\\c", error="insufficient_scope"'
    for name in ("alice", "bob"):
        response = await call(app, "GET", "/notes", token=issuer.token(sub=name))
        assert response.headers["www-authenticate"].startswith(expected)


@pytest.mark.parametrize(
    ("options", "option"),
    [
        pytest.param({"issuer": ""}, "issuer", id="no-issuer"),
        pytest.param({"issuer": "http://id.example.com"}, "issuer", id="plain-http"),
        pytest.param({"audience": ""}, "audience", id="no-audience"),
        pytest.param({"audience": []}, "audience", id="empty-audiences"),
        pytest.param(
            {"issuer": Issuer(url="https://x.example", audience="a"), "audience": "b"}, "audience", id="twice"
        ),
        pytest.param({"realm": ""}, "realm", id="empty-realm"),
        pytest.param({"realm": "a\r\nb"}, "realm", id="realm-with-a-line-break"),
        pytest.param({"resource": "http://api.example.com"}, "resource", id="plain-http-resource"),
        pytest.param({"resource": "https://api.example.com/#x"}, "resource", id="fragment"),
        pytest.param({"trusted_proxies": ["all"]}, "trusted_proxies", id="no-network"),
        pytest.param({"forwarding": "both"}, "forwarding", id="two-families"),
        pytest.param({"cors_origins": ["*"]}, "cors_origins", id="any-origin"),
    ],
)
def test_options_that_can_t_be_meant_fail_with_a_sentence_that_names_them(
    make_api: MakeApi, options: dict[str, Any], option: str
) -> None:
    """DESIGN §3 and §5: contradictory or empty options fail at construction; no issuer, no audience: no start."""
    with pytest.raises(ConfigurationError) as error:
        make_api(**options)
    assert error.value.option == option
    assert str(error.value).startswith(f"{option} ")


def test_its_repr_names_the_issuer_alone(api: ResourceServer) -> None:
    """Habit 19: a repr ends in logs."""
    assert repr(api) == "ResourceServer('https://id.example.com')"


@pytest.mark.parametrize("need", [None, 1, ["notes:read"], b"notes:read"])
def test_what_is_no_requirement_is_refused_when_the_route_is_written(api: ResourceServer, need: Any) -> None:
    """An unsupported need must not turn into no need."""
    with pytest.raises(TypeError, match="a requirement is a scope, a requirement or a callable"):
        api.requires(need)


@pytest.mark.parametrize("need", ["", "a b", 'a"b', "a\\b", "ä"])
def test_what_is_no_scope_is_refused_when_the_route_is_written(api: ResourceServer, need: str) -> None:
    """RS-6750-3-d: the challenge's character set holds by construction."""
    with pytest.raises(ValueError, match="is no scope"):
        api.requires(need)


def test_twice_in_one_application_is_once_too_often(make_api: MakeApi) -> None:
    """DESIGN §3: of two that contradict each other, nobody could say which counts; observers were told twice."""
    app, api = FastAPI(), make_api()
    api.install(app)
    with pytest.raises(ConfigurationError) as caught:
        api.install(app, protect="all")
    assert str(caught.value) == "install was called twice for one application: give all options at once"
    make_api(realm="other").install(app)  # another one has a word of its own
    api.install(FastAPI())


@pytest.mark.parametrize(("app", "name"), [(APIRouter(), "APIRouter"), (Starlette(), "Starlette"), ("app", "str")])
def test_what_is_no_application_is_told_apart(make_api: MakeApi, app: Any, name: str) -> None:
    """A newcomer's pain: an AttributeError from within."""
    with pytest.raises(ConfigurationError) as caught:
        make_api().install(app)
    assert str(caught.value) == (
        f"install takes a FastAPI application, not a {name}: dependencies=[…] protect a router"
    )

"""RFC 9110 §11: the framework of HTTP authentication."""

import dataclasses
import re
from collections.abc import Awaitable, Callable, Sequence

import httpx2
import pytest
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import PlainTextResponse
from starlette.responses import Response

from resource_server import ConfigurationError, ResourceServer
from tests.rfc.challenges import challenges, lines
from tests.rfc.checklist import requirement
from tests.rfc.probe import ORIGIN, Probe
from tests.rfc.provocations import refusals

MakeApi = Callable[..., Awaitable[Probe]]


@requirement("RS-9110-11.1-a")
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
async def test_rs_9110_11_1_a_scheme_is_matched_without_regard_to_case(api: Probe, scheme: str) -> None:
    """RFC 9110 §11.1."""
    response = await api.ask(headers=[("authorization", f"{scheme} {api.token()}")])
    assert response.status_code == 200


@requirement("RS-9110-11.2-a")
async def test_rs_9110_11_2_a_no_parameter_occurs_twice_in_a_challenge(api: Probe) -> None:
    """RFC 9110 §11.2."""
    for name, response in (await refusals(api)).items():
        for challenge in challenges(response):
            assert sorted(set(challenge.names)) == sorted(challenge.names), name


@requirement("RS-9110-11.2-b")
@pytest.mark.parametrize("realm", ['a"b\\c', "\\", '"', '", error="x', "a, Basic b=c"])
async def test_rs_9110_11_2_b_quotes_and_backslashes_of_a_realm_are_escaped(make_api: MakeApi, realm: str) -> None:
    """RFC 9110 §5.6.4."""
    api = await make_api(realm=realm)
    [challenge] = challenges(await api.ask())
    assert challenge["realm"] == realm
    assert challenge.names == ["realm", "scope", "resource_metadata"]


@requirement("RS-9110-11.2-b")
@pytest.mark.parametrize("realm", ["a\r\nset-cookie: b", "a\nb", "\x00", "\x7f", "café", "🙂", ""])
def test_rs_9110_11_2_b_a_realm_that_cannot_be_written_ends_the_start(realm: str) -> None:
    """RFC 9110 §5.6.4."""
    with pytest.raises(ConfigurationError):
        ResourceServer("https://id.example.com", audience=ORIGIN, realm=realm)


@requirement("RS-9110-11.2-b")
@pytest.mark.parametrize("hostile", ['"', "\\", "\r\nx: y", "\x00", "\xff", '"\\", realm="evil'])
@pytest.mark.parametrize("where", ["Bearer {}", "{}", "Bearer a.{}.c", 'Bearer realm="{}"'])
async def test_rs_9110_11_2_b_what_a_stranger_writes_is_in_no_challenge(api: Probe, hostile: str, where: str) -> None:
    """RFC 9110 §5.6.4: the challenge is the same one, whatever provoked it."""
    value = where.format(hostile).encode("latin-1")
    response = await api.ask(headers=[("authorization", value)])
    harmless = await api.ask(headers=[("authorization", "Bearer a b")])
    assert response.status_code == 400
    assert challenges(response) == challenges(harmless)


@requirement("RS-9110-11.3-a")
async def test_rs_9110_11_3_a_a_challenge_is_a_scheme_spaces_and_a_list(api: Probe) -> None:
    """RFC 9110 §11.3: never a comma after the scheme."""
    for name, response in (await refusals(api)).items():
        assert bool(challenges(response)) == bool(lines(response)), name
        assert [line for line in lines(response) if not re.match(r"Bearer +[a-z_]+=", line)] == [], name


@requirement("RS-9110-11.3-b")
@pytest.mark.parametrize(
    ("authorization", "with_error"),
    [pytest.param(None, [], id="no-token"), pytest.param("Bearer garbage", ["Bearer"], id="bad-token")],
)
async def test_rs_9110_11_3_b_several_schemes_are_challenges_of_their_own(
    bundled: Probe, authorization: str | None, with_error: Sequence[str]
) -> None:
    """RFC 9110 §11.3. DPoP is not offered yet, but its challenge goes through the same pipes."""
    api = bundled.but()
    api.server.space = dataclasses.replace(api.server.space, dpop_algorithms=("ES256", "PS256"))
    response = await api.ask(headers=[("authorization", authorization)] if authorization else ())
    bearer, dpop = challenges(response)
    assert (bearer.scheme, dpop.scheme, len(lines(response))) == ("Bearer", "DPoP", 2)
    assert (bearer.get("algs"), dpop.get("algs")) == (None, "ES256 PS256")
    assert [challenge.scheme for challenge in (bearer, dpop) if "error" in challenge.names] == with_error


@requirement("RS-9110-11.5-a")
async def test_rs_9110_11_5_a_realm_is_quoted_and_the_same_for_everybody(api: Probe) -> None:
    """RFC 9110 §11.5."""
    for name, response in (await refusals(api)).items():
        for challenge in challenges(response):
            assert (challenge["realm"], 'realm="api"' in challenge.text) == ("api", True), name


@requirement("RS-9110-11.5-a")
async def test_rs_9110_11_5_a_two_users_are_told_the_same(api: Probe) -> None:
    """RFC 9110 §11.5: nothing of a user or a token in a challenge."""
    alice, bob = [await api.ask("/both", token=api.token(sub=name, client_id=name)) for name in ("alice", "bob")]
    assert alice.status_code == 403
    assert challenges(alice) == challenges(bob) != []


@requirement("RS-9110-11.6.1-a")
async def test_rs_9110_11_6_1_a_every_401_has_a_challenge(api: Probe) -> None:
    """RFC 9110 §11.6.1."""
    answers = await refusals(api, status=401)
    assert {name for name, response in answers.items() if len(challenges(response)) != 1} == set()
    assert len(answers) > 15


@requirement("RS-9110-11.6.1-a")
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
async def test_rs_9110_11_6_1_a_every_path_answers_strangers_with_a_challenge(bundled: Probe, method: str) -> None:
    """RFC 9110 §11.6.1: known or unknown, the bundled API is protected in whole."""
    for path in ("/", "/orders", "/admin/users", "/api/v1/users/a/profile", "/no/such/path", "//", "/%2e", "/orders/"):
        for token in (None, "garbage"):
            response = await bundled.ask(path, method=method, token=token)
            assert (response.status_code, len(challenges(response))) == (401, 1), (path, token)


@requirement("RS-9110-11.6.1-a")
async def test_rs_9110_11_6_1_a_a_mounted_application_challenges_too(bundled: Probe) -> None:
    """RFC 9110 §11.6.1: whatever layer made the 401."""
    server = bundled.but().server
    app, below = FastAPI(), FastAPI()

    @below.get("/deep", dependencies=[server.requires()])
    async def deep() -> str:
        return "deep"

    app.mount("/below", below)
    server.install(app)
    good, bad = await _ask(app, "/below/deep", bundled.token()), await _ask(app, "/below/deep", "garbage")
    assert (good.status_code, bad.status_code) == (200, 401)
    assert challenges(bad)[0]["error"] == "invalid_token"


@requirement("RS-9110-11.6.1-a")
async def test_rs_9110_11_6_1_a_a_users_own_handler_does_not_lose_the_challenge(bundled: Probe) -> None:
    """RFC 9110 §11.6.1: an application that words its 401 itself."""
    server = bundled.but().server
    app = FastAPI()
    server.install(app)

    @app.exception_handler(401)
    async def own_words(_request: Request, _error: Exception) -> Response:
        return PlainTextResponse("Go away", 401)

    @app.exception_handler(HTTPException)
    async def own_words_for_all(_request: Request, error: Exception) -> Response:
        return PlainTextResponse("Go away", getattr(error, "status_code", 500))

    @app.get("/deep", dependencies=[server.requires()])
    async def deep() -> str:
        return "deep"

    good, bad = await _ask(app, "/deep", bundled.token()), await _ask(app, "/deep", "garbage")
    assert (good.status_code, bad.status_code) == (200, 401)
    assert len(challenges(bad)) == 1


@requirement("RS-9110-11.6.1-b")
async def test_rs_9110_11_6_1_b_no_challenge_where_other_credentials_would_not_help(api: Probe) -> None:
    """RFC 9110 §11.6.1."""
    answers = await refusals(api, "D05", "D22", "D23", "D24", "D26", "D27", "D31", "D32", "D33")
    assert {name: lines(response) for name, response in answers.items() if lines(response)} == {}


@requirement("RS-9110-11.6.1-b")
async def test_rs_9110_11_6_1_b_a_challenge_where_other_credentials_would_help(api: Probe) -> None:
    """RFC 9110 §11.6.1: 400 and 403 may bear one."""
    answers = await refusals(api, "D03", "D04", "D21")
    assert {name for name, response in answers.items() if len(challenges(response)) != 1} == set()


@requirement("RS-9110-11.6.2-a")
@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(["Bearer {good}", "Bearer bad"], id="good-then-bad"),
        pytest.param(["Bearer bad", "Bearer {good}"], id="bad-then-good"),
        pytest.param(["Bearer {good}", "Bearer {good}"], id="twice-the-same"),
        pytest.param(["Basic YTpi", "Bearer {good}"], id="another-scheme-first"),
        pytest.param(["", "Bearer {good}"], id="empty-first"),
        pytest.param(["Bearer {good}, Bearer {good}"], id="joined-by-a-comma"),
        pytest.param(["Bearer {good},Basic YTpi"], id="joined-schemes"),
    ],
)
async def test_rs_9110_11_6_2_a_two_authorization_fields_are_malformed(api: Probe, fields: list[str]) -> None:
    """RFC 9110 §5.3, §11.6.2: it is a singleton field."""
    response = await api.ask(headers=[("authorization", field.format(good=api.token())) for field in fields])
    assert response.status_code == 400
    assert challenges(response)[0]["error"] == "invalid_request"


@requirement("RS-9110-11.7-a")
async def test_rs_9110_11_7_a_nothing_is_said_in_the_words_of_a_proxy(api: Probe) -> None:
    """RFC 9110 §11.7; RFC 9449 §7.1."""
    for name, response in (await refusals(api)).items():
        assert response.status_code != 407, name
        assert [field for field in response.headers if field.startswith("proxy-")] == [], name


async def _ask(app: FastAPI, path: str, token: str) -> httpx2.Response:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=ORIGIN) as client:
        return await client.get(path, headers={"authorization": f"Bearer {token}"})

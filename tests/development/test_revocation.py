"""Revocation (RFC 7009): what its own client ends is over, and nothing else is."""

import pytest

from tests.development.visitor import API, TurnableClock, Visitor, claims_of

FORM = {"content-type": "application/x-www-form-urlencoded"}
INACTIVE = {"active": False}


@pytest.mark.parametrize("hint", ["", "access_token", "refresh_token", "saml2_token", '"\\é'])
async def test_a_client_revokes_its_access_token(visitor: Visitor, hint: str) -> None:
    """RFC 7009 §2.1 and §2.2: the hint may be wrong or unknown."""
    tokens, other = await visitor.tokens(), await visitor.tokens()

    answer = await visitor.revoke(tokens["access_token"], token_type_hint=hint)

    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["cache-control"] == "no-store"
    assert await visitor.introspect(tokens["access_token"]) == INACTIVE
    assert (await visitor.introspect(other["access_token"]))["active"] is True
    assert (await visitor.refresh(tokens["refresh_token"])).status_code == 200  # the login is not ended by it


@pytest.mark.parametrize("hint", ["", "access_token", "refresh_token"])
async def test_a_client_revokes_its_refresh_token_and_all_that_came_of_the_login(visitor: Visitor, hint: str) -> None:
    """RFC 7009 §2.1."""
    first = await visitor.tokens()
    second = (await visitor.refresh(first["refresh_token"])).json()

    answer = await visitor.revoke(second["refresh_token"], token_type_hint=hint)

    assert (answer.status_code, answer.json()) == (200, {})
    assert (await visitor.refresh(second["refresh_token"])).json()["error"] == "invalid_grant"
    for tokens in (first, second):
        assert await visitor.introspect(tokens["access_token"]) == INACTIVE


async def test_a_spent_refresh_token_can_still_be_revoked(visitor: Visitor) -> None:
    """RFC 7009 §2.1: who wants the login to end says so by any of its tokens."""
    first = await visitor.tokens()
    second = (await visitor.refresh(first["refresh_token"])).json()

    await visitor.revoke(first["refresh_token"])

    assert (await visitor.refresh(second["refresh_token"])).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("token", ["unknown", "un.kno.wn", ".", "é", "x" * 5_000])
async def test_an_unknown_token_is_revoked_already(visitor: Visitor, token: str) -> None:
    """RFC 7009 §2.2."""
    answer = await visitor.revoke(token)

    assert (answer.status_code, answer.json()) == (200, {})


async def test_a_token_can_be_revoked_again_and_after_its_end(visitor: Visitor, clock: TurnableClock) -> None:
    """RFC 7009 §2.2."""
    tokens = await visitor.tokens()

    answers = [await visitor.revoke(tokens["refresh_token"]) for _ in range(2)]
    answers += [await visitor.revoke(tokens["access_token"]) for _ in range(2)]
    clock.time += 300
    answers.append(await visitor.revoke(tokens["access_token"]))

    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_a_client_can_not_revoke_another_s_token(visitor: Visitor, kind: str) -> None:
    """RFC 7009 §2.1."""
    tokens = await visitor.tokens()

    public = await visitor.revoke(tokens[kind], client_id="resource-server-cli")
    service = await visitor.http.post("/revoke", data={"token": tokens[kind]}, auth=visitor.service)

    for answer in (public, service):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert (await visitor.introspect(tokens["access_token"]))["active"] is True
    assert (await visitor.refresh(tokens["refresh_token"])).status_code == 200


@pytest.mark.parametrize("in_form", [False, True], ids=["basic", "post"])
@pytest.mark.parametrize("kind", ["service", "opaque_service"])
async def test_a_service_revokes_its_token_with_its_secret(visitor: Visitor, kind: str, in_form: bool) -> None:
    """RFC 7009 §2.1 with RFC 6749 §2.3.1; for JWTs and opaque tokens."""
    auth: tuple[str, str] = getattr(visitor, kind)
    token = (await visitor.http.post("/token", data={"grant_type": "client_credentials"}, auth=auth)).json()
    form = {"token": token["access_token"]}
    before = await visitor.introspect(**form)

    if in_form:
        answer = await visitor.http.post("/revoke", data={**form, "client_id": auth[0], "client_secret": auth[1]})
    else:
        answer = await visitor.http.post("/revoke", data=form, auth=auth)

    assert answer.status_code == 200
    assert before["active"] is True
    assert await visitor.introspect(**form) == INACTIVE


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({"client_id": ""}, id="no-client"),
        pytest.param({"client_id": "nobody"}, id="unknown-client"),
        pytest.param({"client_id": "example-service"}, id="no-secret"),
        pytest.param({"client_id": "example-service", "client_secret": "wrong"}, id="wrong-secret"),
        pytest.param({"client_secret": "any"}, id="public-client-with-a-secret"),
    ],
)
async def test_a_client_that_does_not_authenticate_revokes_nothing(visitor: Visitor, form: dict[str, str]) -> None:
    """RFC 7009 §2.1 and RFC 6749 §5.2."""
    tokens = await visitor.tokens()

    answer = await visitor.revoke(tokens["refresh_token"], **form)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"] == 'Basic realm="development authorization server", charset="UTF-8"'
    assert (await visitor.refresh(tokens["refresh_token"])).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("client_id=swagger-ui", id="no-token"),
        pytest.param("client_id=swagger-ui&token=", id="empty-token"),
        pytest.param("client_id=swagger-ui&token=a&token=b", id="two-tokens"),
        pytest.param("client_id=swagger-ui&token=%ff", id="not-utf-8"),
    ],
)
async def test_a_malformed_revocation_request_is_refused(visitor: Visitor, body: str) -> None:
    """RFC 7009 §2.2.1."""
    answer = await visitor.http.post("/revoke", content=body, headers=FORM)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_token_is_not_revoked_by_a_uri(visitor: Visitor) -> None:
    """RFC 7009 §2.1: POST, with the token in the body; a URI is logged."""
    token = (await visitor.tokens())["access_token"]

    got = await visitor.http.get(f"/revoke?client_id=swagger-ui&token={token}")
    posted = await visitor.http.post(f"/revoke?token={token}", data={"client_id": "swagger-ui", "token": token})

    assert (got.status_code, posted.status_code) == (405, 400)
    assert (await visitor.introspect(token))["active"] is True


async def test_a_revocation_is_remembered_until_the_token_has_ended(visitor: Visitor, clock: TurnableClock) -> None:
    """RFC 7009 §2.1, for one that lives far longer than others, beside many that don't."""
    mint = visitor.server.mint
    token = mint.access_token(client_id="swagger-ui", exp=int(clock.time) + 100_000)
    await visitor.revoke(token)
    for _ in range(10):
        clock.time += 9_000
        await visitor.revoke(mint.access_token(client_id="swagger-ui"))

    assert await visitor.introspect(token) == INACTIVE
    assert claims_of(token)["exp"] > clock.time


async def test_only_the_apis_own_pages_may_revoke(visitor: Visitor) -> None:
    """RFC 7009 §2.3 and T34."""
    asked = {"Access-Control-Request-Method": "POST"}
    allowed = await visitor.http.options("/revoke", headers={"Origin": API, **asked})
    refused = await visitor.http.options("/revoke", headers={"Origin": "http://evil.example", **asked})

    assert allowed.headers["access-control-allow-origin"] == API
    assert "access-control-allow-origin" not in refused.headers

"""Requirements of the API's own over HTTP: a callable that grants by accident (T2), alternatives (T3), roles (T5)."""

from typing import Any
from unittest.mock import Mock

import pytest
from fastapi import FastAPI

from resource_server import (
    AccessToken,
    Decision,
    Kind,
    Requirement,
    ResourceServer,
    all_of,
    any_of,
    any_role,
    owner,
    role,
)
from resource_server.refusals import Refusal
from resource_server.testing import FakeIssuer
from tests.calls import DENIED, LACKS_SCOPE, call
from tests.fastapi.conftest import MakeApi
from tests.fastapi.ways import Note, installed, ok

SECRET = "the vault is under the stairs"
FAILED = b'{"title":"Internal Server Error","status":500}'


async def says_so(token: AccessToken) -> str:
    return SECRET


def raises(token: AccessToken) -> bool:
    raise PermissionError(SECRET)


async def raises_late(token: AccessToken) -> bool:
    raise KeyError(SECRET)


ACCIDENTS = [
    pytest.param(lambda token: Mock(), id="mock"),
    pytest.param(says_so, id="text-later"),
    pytest.param(lambda token: SECRET, id="text"),
    pytest.param(lambda token: (False, SECRET), id="tuple"),
    pytest.param(lambda token: None, id="none"),
    pytest.param(lambda token: 1, id="one"),
    pytest.param(raises, id="raises"),
    pytest.param(raises_late, id="raises-later"),
]


def guarded(api: ResourceServer, *needs: Any) -> FastAPI:
    app = installed(api)
    app.get("/", dependencies=[api.requires(*needs)])(ok)

    @app.post("/", dependencies=[api.requires(*needs)])
    async def write(note: Note) -> None: ...

    return app


@pytest.mark.parametrize("judge", ACCIDENTS)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_callable_that_does_not_say_true_or_false_is_our_failure(
    make_api: MakeApi, issuer: FakeIssuer, caplog: pytest.LogCaptureFixture, judge: Any, method: str
) -> None:
    """T2: 500, an alarm, kind policy_error; nothing of it reaches the caller."""
    decisions: list[Decision] = []
    app = guarded(make_api(observers=[decisions.append]), judge)
    response = await call(app, method, "/", token=issuer.token(), content=b"{bad" if method == "POST" else None)
    assert (response.status_code, response.content) == (500, FAILED)
    assert SECRET not in str(response.headers)
    assert "www-authenticate" not in response.headers
    assert response.headers["cache-control"] == "no-store"
    assert [decision.kind for decision in decisions] == [Kind.POLICY_ERROR]
    alarms = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.name for record in alarms] == ["resource_server"]
    assert alarms[0].message.startswith("a requirement failed: ")


@pytest.mark.parametrize(
    ("judge", "status"),
    [
        pytest.param(lambda token: True, 200, id="true"),
        pytest.param(lambda token: False, 403, id="false"),
        pytest.param(lambda token: token.subject == "alice", 200, id="comparison"),
    ],
)
async def test_a_callable_grants_by_true_alone(
    api: ResourceServer, issuer: FakeIssuer, judge: Any, status: int
) -> None:
    """T2, D24: False is a plain refusal."""
    response = await call(guarded(api, judge), "GET", "/", token=issuer.token())
    assert response.status_code == status
    assert "www-authenticate" not in response.headers
    if status == 403:
        assert response.content == DENIED


async def test_an_awaitable_is_awaited_first(api: ResourceServer, issuer: FakeIssuer) -> None:
    """T2: a coroutine is true to ``if``."""

    async def check(token: AccessToken) -> bool:
        return token.subject == "bob"

    app = guarded(api, check)
    assert (await call(app, "GET", "/", token=issuer.token())).status_code == 403
    assert (await call(app, "GET", "/", token=issuer.token(sub="bob"))).status_code == 200


@pytest.mark.parametrize(
    ("path", "claims", "status", "challenge"),
    [
        pytest.param("/alice", {"scope": "write"}, 200, None, id="scope-and-owner"),
        pytest.param("/bob", {"roles": ["admin"]}, 200, None, id="role"),
        pytest.param("/alice", {}, 403, f'Bearer realm="api", {LACKS_SCOPE}, scope="write"', id="owner-lacks-scope"),
        pytest.param("/bob", {"scope": "write"}, 403, None, id="scope-but-not-owner"),
        pytest.param("/bob", {}, 403, None, id="neither"),
    ],
)
async def test_alternatives_are_challenged_only_if_scopes_alone_would_do(
    api: ResourceServer, issuer: FakeIssuer, path: str, claims: dict[str, Any], status: int, challenge: str | None
) -> None:
    """T3: (scope and owner) or role."""
    app = installed(api)
    app.get("/{user}", dependencies=[api.requires(any_of(all_of("write", owner("user")), role("admin")))])(ok)
    response = await call(app, "GET", path, token=issuer.token(**claims))
    assert (response.status_code, response.headers.get("www-authenticate")) == (status, challenge)
    if status == 403 and challenge is None:
        assert response.content == DENIED


class Failing(Requirement):
    """A requirement of the application's own, whose database is down."""

    async def judge(self, token: AccessToken, circumstances: Any) -> Refusal | None:
        raise LookupError("canary")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_requirement_that_fails_is_our_failure_with_a_body_and_without(
    make_api: MakeApi, issuer: FakeIssuer, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    """T2, T35: it is told as what it is; without a body it was told as granted, and answered by the framework."""
    kinds: list[Kind | None] = []
    api = make_api(observers=[lambda decision: kinds.append(decision.kind)])
    app = installed(api)

    app.get("/", dependencies=[api.requires(Failing())])(ok)

    @app.post("/", dependencies=[api.requires(Failing())])
    async def write(note: Note) -> None: ...

    response = await call(app, method, "/", token=issuer.token(), content=b"{bad" if method == "POST" else None)
    assert (response.status_code, response.content) == (500, FAILED)
    assert kinds == [Kind.POLICY_ERROR]
    assert "LookupError while deciding" in caplog.text


async def test_a_role_refusal_names_no_role(api: ResourceServer, issuer: FakeIssuer) -> None:
    """T5, D22: any token holder would learn which group to join."""
    response = await call(guarded(api, any_role("editor", "admin")), "GET", "/", token=issuer.token(roles=["x"]))
    assert (response.status_code, response.content) == (403, DENIED)


async def test_a_role_refusal_names_the_route_s_roles_where_that_is_wanted(
    make_api: MakeApi, issuer: FakeIssuer
) -> None:
    """T5: disclose_requirements=True; the static roles, not what the caller has."""
    app = guarded(make_api(disclose_requirements=True), any_role("editor", "admin"))
    response = await call(app, "GET", "/", token=issuer.token(roles=["x"]))
    assert response.status_code == 403
    assert response.json() == {
        "error": "access_denied",
        "error_description": "You are not allowed to do this",
        "status": 403,
        "required_roles": ["admin", "editor"],
    }


@pytest.mark.parametrize(
    ("path", "claims", "status"),
    [
        pytest.param("/alice", {}, 200, id="owner"),
        pytest.param("/bob", {}, 403, id="not-owner"),
        pytest.param("/alice", {"sub": "alice", "client_id": "alice"}, 403, id="a-client-is-no-user"),
        pytest.param("/Alice", {}, 403, id="case"),
        pytest.param("/alice%20", {}, 403, id="space"),
    ],
)
async def test_an_owner_is_judged_by_the_path_parameter(
    api: ResourceServer, issuer: FakeIssuer, path: str, claims: dict[str, Any], status: int
) -> None:
    """T1, D23: (iss, sub), never a token whose sub equals its client_id."""
    app = installed(api)
    app.get("/{user}", dependencies=[api.requires(owner("user"))])(ok)
    response = await call(app, "GET", path, token=issuer.token(**claims))
    assert response.status_code == status
    if status == 403:
        assert response.content == DENIED


async def test_an_owner_is_judged_before_the_body_and_below_mounts(api: ResourceServer, issuer: FakeIssuer) -> None:
    """E2: an owner taken from a path parameter is judged with 14, before the body."""
    app, below = installed(api), FastAPI()

    @below.put("/{user}", dependencies=[api.requires(owner("user"))])
    async def write(user: str, note: Note) -> str:
        return user

    app.mount("/tenants/{tenant}", below)
    response = await call(app, "PUT", "/tenants/alice/bob", token=issuer.token(), content=b"{bad")
    assert (response.status_code, response.content) == (403, DENIED)
    response = await call(app, "PUT", "/tenants/bob/alice", token=issuer.token(), json={"text": "x"})
    assert (response.status_code, response.json()) == (200, "alice")

"""RFC 6750 §2 and §5: how a bearer token comes, and what must never become of it."""

import gc
import io
import logging
import types
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from resource_server.observers.audit import Audit
from resource_server.serving.access_log import AccessLog
from tests.rfc.challenges import challenges, lines
from tests.rfc.checklist import requirement
from tests.rfc.probe import ORIGIN, Probe
from tests.rfc.provocations import refusals

FORM = "application/x-www-form-urlencoded"


@requirement("RS-6750-2.1-a")
async def test_rs_6750_2_1_a_a_token_in_the_authorization_field_opens(api: Probe) -> None:
    """RFC 6750 §2.1."""
    response = await api.ask(headers=[("authorization", f"Bearer {api.token()}")])
    assert (response.status_code, response.json()[0]["item"]) == (200, "lamp")


@requirement("RS-6750-2.1-a")
async def test_rs_6750_2_1_a_several_spaces_may_stand_before_the_token(api: Probe) -> None:
    """RFC 6750 §2.1: 1*SP."""
    response = await api.ask(headers=[("authorization", f"Bearer   {api.token()}")])
    assert response.status_code == 200


@requirement("RS-6750-2.1-b")
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"Bearer", id="scheme-alone"),
        pytest.param(b"Bearer ", id="empty-token"),
        pytest.param(b"Bearer a b", id="inner-space"),
        pytest.param(b"Bearer %b b", id="second-token"),
        pytest.param(b"Bearer a,b", id="comma"),
        pytest.param(b'Bearer "%b"', id="quoted"),
        pytest.param(b"Bearer\t%b", id="tab"),
        pytest.param(b"Bearer \t%b", id="space-and-tab"),
        pytest.param(b"Bearer\xa0%b", id="no-break-space"),
        pytest.param(b"Bearer %b\x00", id="nul"),
        pytest.param(b"Bearer %b\xff", id="not-ascii"),
        pytest.param(b"Bearer %b\xc3\xa9", id="utf-8"),
        pytest.param(b"Bearer %b=a", id="padding-inside"),
        pytest.param(b"Bearer =%b", id="padding-first"),
        pytest.param(b"Bearer: %b", id="colon"),
        pytest.param(b"Bearer=%b", id="equals"),
        pytest.param(b"Bearer%b", id="no-space"),
        pytest.param(b"%b", id="no-scheme"),
        pytest.param(b"Bearer token=%b", id="parameter"),
        pytest.param(b"Bearer Bearer %b", id="scheme-twice"),
        pytest.param(b"Bearer %b;", id="semicolon"),
        pytest.param("Bearer\u2003%b".encode(), id="em-space"),
    ],
)
async def test_rs_6750_2_1_b_anything_but_one_token68_is_refused(api: Probe, value: bytes) -> None:
    """RFC 6750 §2.1."""
    hostile = value.replace(b"%b", api.token().encode())
    response = await api.ask(headers=[("authorization", hostile)])
    assert response.status_code in (400, 401)
    assert len(challenges(response)) == 1


@requirement("RS-6750-2.1-b")
async def test_rs_6750_2_1_b_what_is_no_token68_never_reaches_the_verifier(
    make_api: Callable[..., Awaitable[Probe]],
) -> None:
    """RFC 6750 §2.1: an unreachable issuer would turn a token that is looked at into a 503."""
    api = (await make_api()).down()
    assert await api.status(api.token()) == 503
    for value in ("Bearer", "Bearer a b", f"Bearer {api.token()} b", f'Bearer "{api.token()}"', f"Token {api.token()}"):
        response = await api.ask(headers=[("authorization", value)])
        assert response.status_code in (400, 401), value


@requirement("RS-6750-2.2-a")
@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
@pytest.mark.parametrize("kind", [FORM, "multipart/form-data; boundary=x", "application/json", "text/plain"])
async def test_rs_6750_2_2_a_a_token_in_the_content_is_ignored(api: Probe, method: str, kind: str) -> None:
    """RFC 6750 §2.2: optional, and off."""
    token = api.token(scope="orders:read orders:write")
    content = {
        FORM: f"access_token={token}",
        "application/json": f'{{"access_token": "{token}"}}',
        "text/plain": token,
    }.get(kind, f'--x\r\ncontent-disposition: form-data; name="access_token"\r\n\r\n{token}\r\n--x--\r\n')
    path = "/diaries/alice" if method == "PUT" else "/orders"
    fields = [("content-type", kind)]
    with_header = await api.ask(path, method=method, headers=fields, content=content.encode(), token=token)
    without = await api.ask(path, method=method, headers=fields, content=content.encode())
    assert with_header.status_code in (200, 422)
    assert (without.status_code, "error" in challenges(without)[0].names) == (401, False)


@requirement("RS-6750-2.3-a")
async def test_rs_6750_2_3_a_a_token_in_the_query_is_as_good_as_none(api: Probe) -> None:
    """RFC 6750 §2.3, RFC 9700 §4.3.2."""
    for name in ("access_token", "access%5ftoken", "token", "bearer_token"):
        response = await api.ask(f"/orders?{name}={api.token()}")
        nothing = await api.ask()
        assert (response.status_code, lines(response), response.content) == (401, lines(nothing), nothing.content)


@requirement("RS-6750-2-a")
@pytest.mark.parametrize("name", ["access_token", "access%5Ftoken", "%61ccess_token", "a=b&access_token"])
@pytest.mark.parametrize("value", ["{}", "", "other"])
async def test_rs_6750_2_a_two_ways_at_once_are_refused(api: Probe, name: str, value: str) -> None:
    """RFC 6750 §2: header and query, even if both bear the same token."""
    token = api.token()
    response = await api.ask(f"/orders?{name}={value.format(token)}", token=token)
    assert response.status_code == 400
    assert challenges(response)[0]["error"] == "invalid_request"
    assert response.json()["error"] == "invalid_request"


@requirement("RS-6750-5.2-a")
@pytest.mark.parametrize("token", [None, "garbage", "good"])
@pytest.mark.parametrize(
    ("options", "origin", "secure", "plain"),
    [
        pytest.param(
            {"trusted_proxies": ["203.0.113.9"]},
            ORIGIN,
            ("x-forwarded-proto", "https"),
            ("x-forwarded-proto", "http"),
            id="x-forwarded",
        ),
        pytest.param(
            {"trusted_proxies": ["203.0.113.9"], "forwarding": "forwarded"},
            ORIGIN,
            ("forwarded", "for=192.0.2.1;proto=https"),
            ("forwarded", "for=192.0.2.1;proto=http"),
            id="rfc-7239",
        ),
        pytest.param(
            {"trusted_proxies": ["203.0.113.9"], "require_https": True},
            "http://api.example.com",
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "api.example.com"),
            id="a-proxy-that-does-not-say",
        ),
    ],
)
async def test_rs_6750_5_2_a_plain_http_is_refused_and_invites_no_token(
    api: Probe,
    options: dict[str, Any],
    origin: str,
    secure: tuple[str, str],
    plain: tuple[str, str],
    token: str | None,
) -> None:
    """RFC 6750 §5.2: no challenge, and no redirect that would look like a cure."""
    strict, good = api.but(**options), api.token()
    assert (await strict.ask(f"{origin}/orders", headers=[secure], token=good)).status_code == 200
    response = await strict.ask(f"{origin}/orders", headers=[plain], token=good if token == "good" else token)
    assert (response.status_code, lines(response)) == (403, [])
    assert "location" not in response.headers


@requirement("RS-6750-5.2-a")
async def test_rs_6750_5_2_a_a_stranger_cannot_say_that_it_was_https(api: Probe) -> None:
    """RFC 6750 §5.2: without trusted proxies the connection itself has to be secure."""
    strict, fields = api.but(require_https=True), [("x-forwarded-proto", "https"), ("forwarded", "proto=https")]
    assert (await strict.ask(token=api.token())).status_code == 200
    response = await strict.ask("http://api.example.com/orders", headers=fields, token=api.token())
    assert (response.status_code, lines(response)) == (403, [])


@requirement("RS-6750-5.2-b")
async def test_rs_6750_5_2_b_a_token_for_another_resource_server_is_useless_here(api: Probe) -> None:
    """RFC 6750 §5.2."""
    response = await api.ask(token=api.token(aud="https://other.example.com"))
    assert (response.status_code, challenges(response)[0]["error"]) == (401, "invalid_token")


@requirement("RS-6750-5.3-a")
async def test_rs_6750_5_3_a_no_part_of_a_token_is_written_anywhere(
    api: Probe, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """RFC 6750 §5.3: not into logs, the audit or answers, whatever goes wrong."""
    caplog.set_level(logging.DEBUG)
    audit_text = io.StringIO()
    audit = Audit(b"key", audit_text)
    sent: list[str] = []
    mint = api.issuer.mint.access_token

    def noting(**options: Any) -> str:
        sent.append(mint(**options))
        return sent[-1]

    api.issuer.mint.access_token = noting  # type: ignore[method-assign]
    watched = api.but(observers=[audit])
    watched.app.add_middleware(AccessLog)
    answers = await refusals(watched) | {"granted": await watched.ask(token=watched.token())}
    audit.close()
    told = "".join(response.text + str(response.headers.multi_items()) for response in answers.values())
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name != "httpx2")  # the test's client
    written = told + ours + audit_text.getvalue() + "".join(capfd.readouterr())
    assert len(sent) > 20
    assert '"kind": "expired"' in audit_text.getvalue()
    assert [part for token in sent for part in token.split(".") if part in written] == []


@requirement("RS-6750-5.3-a")
async def test_rs_6750_5_3_a_no_token_is_kept_in_memory(api: Probe) -> None:
    """RFC 6750 §5.3: what is remembered of a token is its digest."""
    token = api.token(jti="canary")
    assert await api.status(token) == 200
    kept = [one for one in _reachable(api.server) if isinstance(one, str | bytes)]
    text = [one if isinstance(one, str) else one.decode("latin-1") for one in kept]
    assert any("canary" in one for one in text), "the claims are there"
    assert [one for one in text if token in one or token.rpartition(".")[2] in one] == []


def _reachable(root: object) -> list[object]:
    """All that an object holds, directly or not; classes, modules and running code are not its own."""
    foreign = (type, types.ModuleType, types.FrameType, types.FunctionType, types.CodeType)
    seen: dict[int, object] = {}
    todo = [root]
    while todo:
        one = todo.pop()
        if id(one) not in seen and not isinstance(one, foreign):
            seen[id(one)] = one
            todo += gc.get_referents(one)
    return list(seen.values())

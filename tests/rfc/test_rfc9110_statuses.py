"""RFC 9110 §9, §10, §12, §15: methods, statuses and the fields that go with them."""

import re

import httpx2
import pytest

from resource_server import RateLimit
from tests.rfc.challenges import challenges
from tests.rfc.checklist import requirement
from tests.rfc.probe import Probe
from tests.rfc.provocations import refusals

UNIQUE = ("date", "content-length")


def fields(response: httpx2.Response) -> list[tuple[str, str]]:
    """All header fields but those that differ between any two answers."""
    return sorted((name, value) for name, value in response.headers.multi_items() if name not in UNIQUE)


@requirement("RS-9110-15.5.2-a")
async def test_rs_9110_15_5_2_a_missing_and_bad_credentials_are_answered_401(api: Probe) -> None:
    """RFC 9110 §15.5.2, §11.4: never 403, 404 or 500."""
    attempts = [
        (),
        ("Basic YTpi",),
        ("Bearer random",),
        (f"Bearer {api.token(exp=1)}",),
        ("Negotiate",),
        ("Digest a=b",),
    ]
    for values in attempts:
        response = await api.ask(headers=[("authorization", value) for value in values])
        assert (response.status_code, len(challenges(response))) == (401, 1), values


@requirement("RS-9110-15.5.4-a")
async def test_rs_9110_15_5_4_a_a_known_caller_who_may_not_is_answered_403(api: Probe) -> None:
    """RFC 9110 §15.5.4: also for reasons that have nothing to do with credentials."""
    assert (await api.ask("/admin/dashboard", token=api.token(roles=["admin"]))).status_code == 200
    assert (await api.ask("/inside", token=api.token(), peer="10.0.0.1")).status_code == 200
    answers = await refusals(api, "D21", "D22", "D23", "D24")
    assert {name for name, response in answers.items() if response.status_code != 403} == set()


@requirement("RS-9110-15.5.4-b")
@pytest.mark.parametrize("precondition", [(), (("if-match", '"x"'),), (("if-none-match", "*"),)])
async def test_rs_9110_15_5_4_b_a_hidden_resource_is_as_absent_as_an_absent_one(
    api: Probe, precondition: tuple[tuple[str, str], ...]
) -> None:
    """RFC 9110 §15.5.4."""
    assert (await api.ask("/diaries/alice", token=api.token())).status_code == 200
    for method in ("GET", "PUT", "DELETE", *(["HEAD"] if api.bundled else [])):
        hidden, absent = [
            await api.ask(path, token=api.token(), method=method, headers=precondition)
            for path in ("/diaries/bob", "/no/such/path")
        ]
        assert (hidden.status_code, fields(hidden), hidden.content) == (404, fields(absent), absent.content), method
        assert hidden.headers.get("content-length") == absent.headers.get("content-length"), method


@requirement("RS-9110-15.5.4-b")
async def test_rs_9110_15_5_4_b_strangers_are_told_the_same_of_both(bundled: Probe) -> None:
    """RFC 9110 §15.5.4; ruling 26."""
    hidden, absent = [await bundled.ask(path) for path in ("/diaries/bob", "/no/such/path")]
    assert (hidden.status_code, fields(hidden), hidden.content) == (401, fields(absent), absent.content)


@requirement("RS-9110-9.3.2-a")
@pytest.mark.parametrize(
    ("path", "claims", "status"),
    [
        pytest.param("/orders", {}, 200, id="granted"),
        pytest.param("/orders", None, 401, id="no-token"),
        pytest.param("/orders", {"exp": 1}, 401, id="expired"),
        pytest.param("/orders", {"scope": ""}, 403, id="no-scope"),
        pytest.param("/admin/dashboard", {}, 403, id="no-role"),
        pytest.param("/diaries/bob", {}, 404, id="hidden"),
    ],
)
async def test_rs_9110_9_3_2_a_head_is_get_without_content(
    bundled: Probe, path: str, claims: dict[str, object] | None, status: int
) -> None:
    """RFC 9110 §9.3.2: the same fields, the same authorization."""
    token = None if claims is None else bundled.token(**claims)
    get, head = [await bundled.ask(path, method=method, token=token) for method in ("GET", "HEAD")]
    assert (get.status_code, head.status_code) == (status, status)
    assert head.headers.multi_items() == get.headers.multi_items()
    assert (bool(get.content), head.content) == (True, b"")


@requirement("RS-9110-10.2.3-a")
async def test_rs_9110_10_2_3_a_retry_after_is_seconds(api: Probe) -> None:
    """RFC 9110 §10.2.3."""
    answers = await refusals(api)
    told = {
        name: response.headers["retry-after"] for name, response in answers.items() if "retry-after" in response.headers
    }
    assert set(told) == {"D26 issuer-down", "D28 guesses"}
    assert all(re.fullmatch(r"\d+", value) for value in told.values())


@requirement("RS-9110-10.2.3-a")
async def test_rs_9110_10_2_3_a_whoever_waits_as_long_as_told_is_looked_at_and_no_sooner(api: Probe) -> None:
    """RFC 9110 §10.2.3; T33: it is true to the second."""
    limited = api.but(failed_authentications=RateLimit(20, per=60))
    while (refused := await limited.ask(token="guess")).status_code == 401:
        api.time.turn(0.7)
    seconds = int(refused.headers["retry-after"])
    api.time.turn(seconds - 1)
    assert await limited.status("guess") == 429
    api.time.turn(1)
    assert await limited.status("guess") == 401


@requirement("RS-9110-10.2.3-a")
async def test_rs_9110_10_2_3_a_a_readiness_probe_is_told_seconds(bundled: Probe) -> None:
    """RFC 9110 §10.2.3."""
    assert (await bundled.ask("/readyz")).status_code == 200
    unready = await bundled.down().ask("/readyz")
    assert unready.status_code == 503
    assert re.fullmatch(r"\d+", unready.headers["retry-after"])


@requirement("RS-9110-15.1-a")
async def test_rs_9110_15_1_a_no_404_and_no_405_may_be_kept_by_a_cache(api: Probe) -> None:
    """RFC 9110 §15.1: both may be kept unasked."""
    answers = await refusals(api, "D27", "D32") | {"absent": await api.ask("/no/such/path", token=api.token())}
    assert {name: response.headers["cache-control"] for name, response in answers.items()} == dict.fromkeys(
        answers, "no-store"
    )


@requirement("RS-9110-12.5.5-a")
async def test_rs_9110_12_5_5_a_answers_vary_by_origin_and_not_by_authorization(api: Probe) -> None:
    """RFC 9110 §12.5.5."""
    cross = api.but(cors_origins=["https://app.example.com"])
    for token, origin in ((api.token(), "https://app.example.com"), (None, "https://app.example.com"), (None, None)):
        response = await cross.ask(token=token, headers=[("origin", origin)] if origin else ())
        assert response.headers["vary"].lower() == "origin"
    for name, response in (await refusals(api)).items():
        assert "authorization" not in response.headers.get("vary", "").lower(), name


@requirement("RS-9110-x-a")
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param(b"{bad", "application/json", id="malformed"),
        pytest.param(b'{"quantity": "many"}', "application/json", id="wrong-schema"),
        pytest.param(b"", "application/json", id="empty"),
        pytest.param(b"\xff\xfe", "application/json", id="no-utf-8"),
        pytest.param(b"<order/>", "text/xml", id="other-type"),
        pytest.param(b"a" * 60_000, "multipart/form-data", id="no-boundary"),
    ],
)
async def test_rs_9110_x_a_strangers_hear_nothing_of_the_content(api: Probe, content: bytes, kind: str) -> None:
    """A ruling: authentication comes before the content, so 401 and not 422."""
    headers = [("content-type", kind)]
    token = api.token(scope="orders:write")
    granted = await api.ask(method="POST", headers=headers, content=content, token=token)
    stranger = await api.ask(method="POST", headers=headers, content=content)
    forger = await api.ask(method="POST", headers=headers, content=content, token="garbage")
    unscoped = await api.ask(method="POST", headers=headers, content=content, token=api.token())
    assert [one.status_code for one in (granted, stranger, forger, unscoped)] == [422, 401, 401, 403]

"""RFC 9111 (caching), RFC 6585 (429, 431), RFC 9457 (problem details)."""

import pytest

from resource_server import RateLimit
from tests.rfc.challenges import lines
from tests.rfc.checklist import requirement
from tests.rfc.probe import ORIGIN, Probe
from tests.rfc.provocations import guess_again, refusals

PROBLEM = "application/problem+json"
SECRETS = (
    "id.example.com",
    "ES256",
    "Traceback",
    "joserfc",
    "cryptography",
    "ConnectError",
    "10.1.2.3",
    "idp.internal",
)
"""Whom we trust and with what, what failed inside, and where. The roles are the bundled API's own business."""


def directives(value: str) -> set[str]:
    return {part.strip().partition("=")[0].lower() for part in value.split(",")}


@requirement("RS-9111-3.5-a")
@pytest.mark.parametrize("path", ["/orders", "/api/v1/me", "/diaries/alice"])
async def test_rs_9111_3_5_a_no_shared_cache_keeps_what_a_token_opened(api: Probe, path: str) -> None:
    """RFC 9111 §3.5; T31: without a word of the application, the answer is private."""
    response = await api.ask(path, token=api.token())
    assert response.status_code == 200
    assert directives(response.headers["cache-control"]) == {"private"}


@requirement("RS-9111-5.2.2.5-a")
async def test_rs_9111_5_2_2_5_a_no_cache_keeps_a_refusal(api: Probe) -> None:
    """RFC 9111 §5.2.2.5. What the content of an authorized caller lacks (422) is the application's own answer."""
    answers = await refusals(api)
    if not api.bundled:
        del answers["D33 content"]
    assert {name: response.headers["cache-control"] for name, response in answers.items()} == dict.fromkeys(
        answers, "no-store"
    )


@requirement("RS-6585-4-a")
async def test_rs_6585_4_a_too_many_guesses_are_429_with_a_time_and_without_a_challenge(api: Probe) -> None:
    """RFC 6585 §4: explained, not kept by a cache, and no other credentials would help."""
    response = await guess_again(api)
    assert (response.status_code, lines(response)) == (429, [])
    assert response.json() == {"error": "rate_limited", "error_description": "Too many requests", "status": 429}
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["retry-after"] == "60"


@requirement("RS-6585-4-a")
async def test_rs_6585_4_a_nobody_else_is_limited_nor_a_token_that_was_good(api: Probe) -> None:
    """RFC 6585 §4 leaves whom to count; T33: strangers must not have others refused."""
    limited = api.but(failed_authentications=RateLimit(1, per=60))
    good, new = api.token(), api.token()
    assert [await limited.status(token) for token in (good, "guess", "guess")] == [200, 401, 429]
    assert [await limited.status(token) for token in (good, new)] == [200, 429]
    assert (await limited.ask(token=new, peer="203.0.113.10")).status_code == 200
    assert (await limited.ask()).status_code == 401


@requirement("RS-6585-5-a")
async def test_rs_6585_5_a_a_field_that_is_too_large_is_431_and_named(api: Probe) -> None:
    """RFC 6585 §5: not kept by a cache, no challenge."""
    response = await api.ask(token="a" * 32 * 1024)
    assert (response.status_code, lines(response)) == (431, [])
    assert response.json()["error_description"] == "The Authorization header field is too large"
    assert response.headers["cache-control"] == "no-store"


@requirement("RS-6585-5-a")
async def test_rs_6585_5_a_the_bound_is_16_kib(api: Probe) -> None:
    """RFC 6585 §5: at the bound it is a bad token, one byte past it too large a field."""
    fits, exceeds = ["a" * (16 * 1024 - len("Bearer ") + more) for more in (0, 1)]
    assert [await api.status(token) for token in (fits, exceeds)] == [401, 431]


@requirement("RS-9457-3-a")
async def test_rs_9457_3_a_who_asks_for_problem_details_gets_them(bundled: Probe) -> None:
    """RFC 9457 §3: status is the status, type is a stable URI, the OAuth members are extensions."""
    for path, token, status, error in (
        ("/orders", None, 401, None),
        ("/orders", "garbage", 401, "invalid_token"),
        ("/both", bundled.token(), 403, "insufficient_scope"),
        ("/diaries/bob", bundled.token(), 404, None),
    ):
        plain = await bundled.ask(path, token=token)
        response, again = [await bundled.ask(path, token=token, headers=[("accept", PROBLEM)]) for _ in range(2)]
        problem = response.json()
        assert (plain.headers["content-type"], response.headers["content-type"]) == ("application/json", PROBLEM)
        assert (response.status_code, problem["status"], problem.get("error")) == (status, status, error)
        assert problem["type"].startswith(f"{ORIGIN}/problems/")
        assert problem["type"] == again.json()["type"]
        assert problem["instance"].startswith("urn:uuid:")
        assert problem["instance"] != again.json()["instance"]
        assert problem["title"]
        assert plain.json().items() <= (problem | {"title": plain.json().get("title", problem["title"])}).items()
        assert lines(plain) == lines(response)


@requirement("RS-9457-3-a")
@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("application/problem+json;q=0", "application/json"),
        ("application/json, application/problem+json;q=0.5", "application/json"),
        ("application/json;q=0.5, application/problem+json", PROBLEM),
        ("Application/Problem+JSON", PROBLEM),
        ("text/html", "application/json"),
    ],
)
async def test_rs_9457_3_a_plain_json_unless_problem_details_are_wanted(bundled: Probe, accept: str, kind: str) -> None:
    """RFC 9457 §3; RFC 9110 §12.5.1."""
    response = await bundled.ask(headers=[("accept", accept)])
    assert (response.status_code, response.headers["content-type"]) == (401, kind)


@requirement("RS-9457-5-a")
@pytest.mark.parametrize("accept", ["application/json", PROBLEM])
async def test_rs_9457_5_a_no_answer_tells_of_the_inside(api: Probe, accept: str) -> None:
    """RFC 9457 §5: no trace, no claim, no issuer, no key, no policy."""
    inside = (*SECRETS, api.issuer.mint.keys[0].kid, "alice", "example-client")
    api.always = [("accept", accept)]
    for name, response in (await refusals(api)).items():
        told = response.text + str(response.headers.multi_items())
        assert [secret for secret in inside if secret in told] == [], name

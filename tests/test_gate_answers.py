"""What the gate adds to the application's answers: a lost challenge, what caches may keep, the end of a connection."""

import pytest

from resource_server.gate import Gate
from tests.gate_fakes import Passage, Server, application, exchange


async def test_a_lost_challenge_is_put_back_every_line_of_it() -> None:
    """RS-9110-11.6.1-a: whatever the application's handler made of the refusal."""
    answered = await exchange(Gate(application(headers=[(b"content-length", b"1")]), Server(Passage(refuses=True))))
    assert answered.field("www-authenticate") == ['Bearer realm="api"', 'DPoP realm="api", algs="ES256"']
    assert answered.field("cache-control") == ["no-store"]


async def test_a_handler_that_sends_no_header_fields_at_all_is_completed_too() -> None:
    """ASGI: headers are optional in http.response.start."""
    answered = await exchange(Gate(application(), Server(Passage(refuses=True))))
    assert [name for name, _ in answered.headers] == [
        "www-authenticate",
        "www-authenticate",
        "connection",
        "cache-control",
    ]


@pytest.mark.parametrize("status", [302, 403, 500])
async def test_a_challenge_goes_with_its_own_status_alone(status: int) -> None:
    """RS-9110-11.6.1-b."""
    answered = await exchange(Gate(application(denied=status), Server(Passage(refuses=True))))
    assert (answered.status, answered.field("www-authenticate")) == (status, [])
    assert answered.field("cache-control") == ["no-store"]


@pytest.mark.parametrize(
    ("status", "reads", "fields", "body", "expected"),
    [
        pytest.param(401, 0, [], b"abc", ["close"], id="unread"),
        pytest.param(422, 1, [], b"abc", [], id="read"),
        pytest.param(413, 0, [("transfer-encoding", "chunked")], b"", ["close"], id="chunked"),
        pytest.param(404, 0, [], b"", [], id="no-body"),
        pytest.param(404, 0, [("content-length", "0")], b"", [], id="empty-body"),
        pytest.param(200, 0, [], b"abc", [], id="granted"),
    ],
)
async def test_an_unread_body_closes_the_connection(
    status: int, reads: int, fields: list[tuple[str, str]], body: bytes, expected: list[str]
) -> None:
    """T30: it would desynchronise a proxy."""
    gate = Gate(application(status, reads=reads), Server(Passage()))
    answered = await exchange(gate, headers=fields, body=body)
    assert (answered.status, answered.field("connection")) == (status, expected)


@pytest.mark.parametrize(
    ("status", "authenticates", "fields", "expected"),
    [
        pytest.param(200, True, [], ["private"], id="authorized"),
        pytest.param(200, False, [], [], id="open"),
        pytest.param(404, True, [], ["no-store"], id="404"),
        pytest.param(405, False, [], ["no-store"], id="405"),
        pytest.param(410, False, [], [], id="410"),
        pytest.param(200, True, [(b"cache-control", b"max-age=5")], ["max-age=5"], id="own"),
        pytest.param(404, True, [(b"Cache-Control", b"max-age=5")], [], id="own-in-capitals"),
    ],
)
async def test_what_caches_may_keep(
    status: int, authenticates: bool, fields: list[tuple[bytes, bytes]], expected: list[str]
) -> None:
    """T31, RS-9110-15.1-a; the application's own word stands."""
    gate = Gate(application(status, headers=fields), Server(Passage(authenticates=authenticates)))
    assert (await exchange(gate, "GET", b"")).field("cache-control") == expected

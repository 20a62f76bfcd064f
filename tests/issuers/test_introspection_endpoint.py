"""The question on the wire, and what may come back (RFC 7662 §2): real sockets on loopback."""

import asyncio

import pytest

from resource_server import Refusal
from resource_server.issuers.client_authentication import SecretPost
from resource_server.issuers.introspection_endpoint import MAX_ANSWER, SEE, TIMEOUT, Answered
from tests.issuers.asked import ACTIVE, TOKEN, Answer, Asked, asked, asking, endpoint, says


async def outcome(answer: Answer, *, within: float = TIMEOUT) -> Refusal | Answered | None:
    """How one question ends."""
    async with asked(answer, within=within) as (asks, _):
        try:
            return await asks.ask(TOKEN)
        except Refusal as refusal:
            return refusal


async def reason(answer: Answer, *, within: float = TIMEOUT) -> str:
    refusal = await outcome(answer, within=within)
    assert isinstance(refusal, Refusal)
    assert refusal.kind.value == "issuer_unavailable"
    assert TOKEN not in refusal.reason
    return refusal.reason.removeprefix("introspection at http://127.0.0.1:1: ")


async def test_the_question_is_a_post_form_with_the_token_and_its_kind() -> None:
    """RS-7662-2.1-a: to the letter; never in a URL, where it would be logged."""
    async with asked(says()) as (asks, address):
        answered = await asks.ask(TOKEN)
    assert answered == Answered(200, "application/json", ACTIVE)
    [question] = address.requests
    assert question.line == "POST /introspect HTTP/1.1"
    assert question.body == b"token=a.b-c_d~e%2Bf%2Fg%3D%3D&token_type_hint=access_token"
    assert question.form == {"token": TOKEN, "token_type_hint": "access_token"}
    headers = question.headers
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert headers["accept"] == "application/json"
    assert headers["accept-encoding"] == "identity"
    assert headers["authorization"].startswith("Basic ")
    assert headers["host"] == address.url.split("/")[2]
    assert len(headers) == len(question.fields)
    assert "cookie" not in headers


async def test_a_signed_answer_is_asked_for_by_its_media_type() -> None:
    """RS-9701-4-a."""
    async with endpoint(says()) as address:
        asks = asking(address.url, signed=True)
        await asks.ask(TOKEN)
        await asks.aclose()
    assert address.requests[0].headers["accept"] == "application/token-introspection+jwt"


async def test_credentials_in_the_form_are_encoded_with_it() -> None:
    """RFC 6749 §2.3.1."""
    async with endpoint(says()) as address:
        asks = asking(address.url, client=SecretPost("api", "s&c=r t"))
        await asks.ask(TOKEN)
        await asks.aclose()
    assert address.requests[0].form | {} == {
        "token": TOKEN, "token_type_hint": "access_token", "client_id": "api", "client_secret": "s&c=r t",
    }  # fmt: skip
    assert "authorization" not in address.requests[0].headers


async def test_a_query_of_the_endpoint_stays_and_the_token_is_not_in_it() -> None:
    """RFC 7662 §2: the endpoint may have one; RFC 6749 §3.2."""
    async with endpoint(says()) as address:
        asks = asking(address.url + "?tenant=a%20b")
        await asks.ask(TOKEN)
        await asks.aclose()
    assert address.requests[0].line == "POST /introspect?tenant=a%20b HTTP/1.1"


async def test_localhost_is_asked_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """T23: a name server that lies must not lead plain http, and the token in it, elsewhere."""

    async def lie(*name: object, **options: object) -> object:
        raise AssertionError("a name server was asked")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lie)
    async with endpoint(says()) as address:
        url = address.url.replace("127.0.0.1", "localhost")
        asks = asking(url)
        assert await asks.ask(TOKEN) is not None
        await asks.aclose()
    assert address.requests[0].headers["host"] == url.split("/")[2]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_a_redirect_is_not_followed(status: str) -> None:
    """RS-7662-2.1-a: it would take the token, and our credential, elsewhere."""
    async with endpoint(says()) as elsewhere:
        location = f"location: {elsewhere.url}\r\n"
        assert await reason(says(b"", status=status, headers=location)) == f"answers with status {status[:3]}"
        assert elsewhere.connections == 0


@pytest.mark.parametrize(
    ("status", "said", "wait"),
    [
        pytest.param("201 Created", "answers with status 201", 1, id="201"),
        pytest.param("204 No Content", "answers with status 204", 1, id="204"),
        pytest.param("400 Bad Request", f"answers with status 400, if for every token: {SEE}", 1, id="400"),
        pytest.param("404 Not Found", "answers with status 404", 1, id="404"),
        pytest.param("405 Method Not Allowed", "answers with status 405", 1, id="405"),
        pytest.param("413 Content Too Large", "answers with status 413", 1, id="413"),
        pytest.param("429 Too Many Requests", "answers with status 429", 1, id="429"),
        pytest.param("500 Internal Server Error", "answers with status 500", 1, id="500"),
        pytest.param("503 Service Unavailable", "answers with status 503", 1, id="503"),
        pytest.param("401 Unauthorized", f"refuses our credential with status 401: {SEE}", 1, id="401"),
        pytest.param("403 Forbidden", f"refuses our credential with status 403: {SEE}", 1, id="403"),
    ],
)
async def test_any_status_but_200_is_no_answer(status: str, said: str, wait: int) -> None:
    """RS-7662-2.2-a, RS-7662-2.3-a: whatever its body says; a 401 means us, and never the caller."""
    body = b"" if status.startswith("204") else ACTIVE
    refusal = await outcome(says(body, status=status))
    assert isinstance(refusal, Refusal)
    assert refusal.reason == f"introspection at http://127.0.0.1:1: {said}"
    assert refusal.retry_after == wait


@pytest.mark.parametrize(
    ("said", "wait"),
    [("5", 5), ("60", 60), ("61", 60), ("9" * 400, 60), ("0", 1), ("-5", 1), ("1.5", 1), ("soon", 1), ("٣", 1),
     ("Wed, 21 Oct 2026 07:28:00 GMT", 1), ("", 1)],
    ids=["5", "bound", "one-past", "huge", "0", "negative", "fraction", "text", "arabic", "date", "empty"],
)  # fmt: skip
async def test_its_retry_after_is_passed_on_within_a_minute(said: str, wait: int) -> None:
    """T24, RS-9110-10.2.3-a: an issuer that is busy says when to come again, and nonsense is no failure of ours."""
    refusal = await outcome(says(b"", status="429 X", headers=f"retry-after: {said}\r\n"))
    assert isinstance(refusal, Refusal)
    assert refusal.retry_after == wait


async def test_an_unsupported_token_type_is_an_answer_about_that_token() -> None:
    """T24: RFC 7009's code, which some servers give for what they know nothing of."""
    assert await outcome(says(b'{"error": "unsupported_token_type"}', status="400 Bad Request")) is None
    for body in (b'{"error": "invalid_request"}', b"", b"<html>"):
        assert "answers with status 400" in await reason(says(body, status="400 Bad Request"))
    assert "500" in await reason(says(b'{"error": "unsupported_token_type"}', status="500 X"))


@pytest.mark.parametrize("named", ["application/json", "Application/JSON; charset=utf-8", "application/json ;a=b"])
async def test_the_content_type_is_read_without_its_parameters(named: str) -> None:
    """RFC 9110 §8.3.1."""
    assert await outcome(says(headers=f"content-type: {named}\r\n")) == Answered(200, "application/json", ACTIVE)


async def test_an_answer_of_256_kib_is_read_and_a_longer_one_is_none() -> None:
    """T28: at the bound and one past it."""
    assert MAX_ANSWER == 256 * 1024
    answered = await outcome(says(b"x" * MAX_ANSWER))
    assert isinstance(answered, Answered)
    assert len(answered.body) == MAX_ANSWER
    assert await reason(says(b"x" * (MAX_ANSWER + 1))) == "answers with more than 262144 bytes"


async def test_an_endless_answer_is_given_up_at_the_bound() -> None:
    """T28: without a length, too."""

    async def endless(question: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    assert await reason(endless) == "answers with more than 262144 bytes"


def raw(*chunks: bytes) -> Answer:
    """Bytes, and the end of the connection."""

    async def answer(question: Asked, writer: asyncio.StreamWriter) -> None:
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
        writer.close()

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(raw(b""), id="nothing"),
        pytest.param(raw(b"HTTP/1.1 200"), id="half-a-status-line"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n" + ACTIVE), id="truncated"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\n{"), id="half-a-chunk"),
        pytest.param(raw(b"SSH-2.0-OpenSSH_9\r\n"), id="another-protocol"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000 + b"\r\n\r\n"), id="endless-header"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"), id="negative-length"),
    ],
)
async def test_a_broken_answer_is_none(answer: Answer) -> None:
    """RS-7662-2.2-a: half an answer is no judgement; the reason names the kind of failure alone."""
    assert await reason(answer) == "RemoteProtocolError"


async def test_a_server_that_drips_can_not_hold_the_exchange_open() -> None:
    """T24: the time-out spans the whole exchange, five seconds by default."""
    assert TIMEOUT == 5.0

    async def drip(question: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.002)

    assert await reason(drip, within=0.1) == "TimeoutError"


async def test_a_server_that_says_nothing_is_given_up() -> None:
    """T24."""

    async def silent(question: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    assert await reason(silent, within=0.05) == "TimeoutError"


async def test_nobody_at_the_address_is_no_answer() -> None:
    """D26."""
    async with endpoint(says()) as address:
        pass
    asks = asking(address.url)
    with pytest.raises(Refusal, match="ConnectError"):
        await asks.ask(TOKEN)
    await asks.aclose()

"""What a stranger writes comes back in no answer, and into no log but escaped (E3, T35, RS-9457-5-a)."""

import json
import re

import pytest

from resource_server.development.minting import Mint
from tests.hostile.process import Server
from tests.hostile.raw import ask, request

CANARY = "canary4711"
NASTY = [
    "\x1b[31m",
    "\u202e",
    "[red]",
    "<script>",
    '"',
    "\\",
    "%0d%0aSet-Cookie:x",
    "%1b]0;x%07",
    "{}",
    "${jndi:x}",
    "%s%n",
]
HANDSHAKE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
ACCESS = re.compile(rb"[\d-]{10} [\d:,]{12} INFO [A-Z]+ [\x21-\x7e](?:[\x20-\x7e])* \d{3} \d+\.\d ms")
START = re.compile(rb"Serving on http://127\.0\.0\.1:\d+, for access tokens of https://id\.example\.com")


def attempts(nasty: str, token: str) -> list[bytes]:
    """The text at every place of a request."""
    text = CANARY + nasty
    target = re.sub("[^!-~]", lambda found: "".join(f"%{byte:02x}" for byte in found[0].encode()), text)
    field = text.replace("\x1b", "")
    return [
        request(f"/{target}"),
        request(f"/orders/{target}?{target}={target}&access_token={target}"),
        request(f"//{target}//", method="OPTIONS"),
        request("/orders", f"Authorization: {field}"),
        request("/orders", f"Authorization: Bearer {field}"),
        request("/orders", f"Authorization: {CANARY} {field}"),
        request("/orders", f"X-{CANARY}: {field}", f"Accept: application/problem+json;{field}"),
        request("/orders", f"Origin: https://{field}", "Access-Control-Request-Method: GET", method="OPTIONS"),
        request("/orders", f"X-Request-Id: {field}", f"User-Agent: {field}", f"Cookie: a={field}", f"Referer: {field}"),
        request("/orders", f"X-Forwarded-For: {field}", f"Forwarded: for={field}", f"X-Forwarded-Host: {field}"),
        request("/orders", *HANDSHAKE, f"Sec-WebSocket-Key: {field}", f"Sec-WebSocket-Protocol: {field}"),
        request(f"/{target}", *HANDSHAKE, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Origin: {field}"),
        request("/orders", method=CANARY.upper()),
        request("/orders", f"Authorization: Bearer {token}"),
        request(f"/{target}", f"Authorization: Bearer {token}"),
        f"GET /{text} HTTP/1.1\r\nHost: {text}\r\n\r\n".encode(),
        f"{text}\r\n\r\n".encode(),
    ]


@pytest.mark.parametrize("nasty", [pytest.param(nasty, id=ascii(nasty)) for nasty in NASTY])
def test_no_answer_holds_what_was_sent(served: Server, mint: Mint, nasty: str) -> None:
    """E3, T35: in head and body alike, of a refusal by whichever layer."""
    text = CANARY + nasty
    forged = mint.sign({"iss": text, "sub": text}, {"alg": text, "kid": text, "typ": text, "jku": f"https://{text}"})
    wrong = mint.access_token(aud=text, sub=text, client_id=text)
    for token in (forged, wrong):
        for data in attempts(nasty, token):
            for answer in ask(served.port, data):
                assert answer.status in {200, 204, 400, 401, 404}
                said = "\n".join(answer.fields).encode() + answer.body
                assert CANARY.encode() not in said.lower()


def test_every_line_of_the_logs_is_whole_and_printable(served: Server, mint: Mint) -> None:
    """T35, T37: no line is begun by a stranger, and no terminal is commanded; no token is in any of them."""
    wrong = mint.access_token(aud=CANARY)
    for nasty in NASTY:
        for data in attempts(nasty, wrong):
            ask(served.port, data)
    lines = served.err.splitlines()
    assert not [line for line in lines if not (ACCESS.fullmatch(line) or START.fullmatch(line))]
    events = [json.loads(line) for line in served.out.splitlines()]
    assert re.fullmatch(rb"[\x20-\x7e\n]*", served.out)
    assert {event["event"] for event in events} <= {"refused", "refused_more"}
    for secret in (wrong, wrong.rpartition(".")[2]):
        assert secret.encode() not in served.out + served.err


def test_before_the_signature_no_event_holds_a_tokens_text(served: Server, mint: Mint) -> None:
    """T35: until then it is anybody's text."""
    text = "unsigned-canary-4712"
    header, payload, _ = mint.access_token(sub=text, client_id=text, jti=text).split(".")
    ask(served.port, request("/orders", f"Authorization: Bearer {header}.{payload}.AAAA"))
    ask(served.port, request("/orders", f"Authorization: Bearer {mint.sign({'iss': text, 'sub': text})}"))
    assert text.encode() not in served.out + served.err

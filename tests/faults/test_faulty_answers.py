"""The issuer answers, and what it says is of no use: never 401, never 500, and it mends itself."""

import asyncio
import gzip
import json
from typing import Any

import pytest

from resource_server.issuers.fetch import MAX_DOCUMENT
from resource_server.issuers.keys import LONGEST
from tests.faults.scene import Scene
from tests.faults.scripted_issuer import KEYS, NEW, OAUTH, OPENID, ScriptedIssuer
from tests.issuers.loopback import Script, answers, says, serve

BOMB = gzip.compress(b'{"keys": [' + b" " * 50_000_000 + b"]}")
METADATA = (OPENID, OAUTH)
SOON = 1.0
"""Seconds of real time after which an issuer that says nothing is given up here."""


async def hang(writer: asyncio.StreamWriter) -> None:
    """Say nothing, for ever."""
    await asyncio.Event().wait()


async def drip(writer: asyncio.StreamWriter) -> None:
    """Say a little, for ever."""
    writer.write(b'HTTP/1.1 200 OK\r\n\r\n{"keys": [')
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.005)


async def reset(writer: asyncio.StreamWriter) -> None:
    """Break the connection off."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
    writer.transport.abort()


def document(members: Any) -> Script:
    return answers(json.dumps(members).encode())


ANYWHERE = [
    pytest.param(hang, id="hangs"),
    pytest.param(drip, id="drips"),
    pytest.param(reset, id="breaks-off"),
    pytest.param(says(b""), id="hangs-up"),
    pytest.param(says(b"SSH-2.0-OpenSSH\r\n\r\n"), id="another-protocol"),
    pytest.param(answers(b"{}", status="500 Internal Server Error"), id="500"),
    pytest.param(answers(b"{}", status="404 Not Found"), id="404"),
    pytest.param(answers(b"{}", status="429 Too Many", headers="retry-after: 3600\r\n"), id="429"),
    pytest.param(answers(b"<!doctype html><title>Log in</title>", headers="content-type: text/html\r\n"), id="html"),
    pytest.param(answers(b'{"keys": [', length=1000), id="truncated"),
    pytest.param(answers(b'{"keys": ['), id="half-a-document"),
    pytest.param(answers(b""), id="empty"),
    pytest.param(answers(b"[" * 100_000), id="nested"),
    pytest.param(answers(BOMB, headers="content-encoding: gzip\r\n"), id="gzip-bomb"),
    pytest.param(document([]), id="array"),
    pytest.param(document({"error": "temporarily_unavailable"}), id="another-object"),
]
"""What either document may be replaced with."""


@pytest.mark.parametrize("script", ANYWHERE)
@pytest.mark.parametrize("paths", [METADATA, (KEYS,)], ids=["metadata", "keys"])
async def test_a_start_with_a_faulty_issuer_is_503_until_the_fault_is_gone(
    scene: Scene, issuer: ScriptedIssuer, paths: tuple[str, ...], script: Script
) -> None:
    """Ruling 17, D26, known pain 6: one round of requests, whatever the number of tokens; then it mends itself."""
    issuer.fail(*paths, script=script)
    scene.within = dict.fromkeys(paths, SOON) if script in (hang, drip) else {}
    async with scene.living():
        await scene.rest()
        for _ in range(10):
            assert await scene.status(issuer.token()) == 503
        assert issuer.count() == ({OPENID: 1, OAUTH: 1} if OAUTH in paths else {OPENID: 1, KEYS: 1})
        issuer.faults.clear()
        scene.within = {}
        await scene.turn_to_the_next_try()
        assert await scene.status(issuer.token()) == 200
        assert issuer.count() == {OPENID: 1, KEYS: 1}


@pytest.mark.parametrize("script", [row for row in ANYWHERE if row.id != "drips"])
@pytest.mark.parametrize("paths", [METADATA, (KEYS,)], ids=["metadata", "keys"])
async def test_an_issuer_that_becomes_faulty_leaves_known_keys_good(
    scene: Scene, issuer: ScriptedIssuer, paths: tuple[str, ...], script: Script
) -> None:
    """Design §9, ruling 16, known pain 1: new tokens of known keys; what nobody can judge is 503."""
    async with scene.living():
        await scene.rest()
        issuer.fail(*paths, script=script)
        scene.within = dict.fromkeys(paths, SOON) if script in (hang, drip) else {}
        await scene.turn(LONGEST)
        issuer.count()
        for _ in range(10):
            assert await scene.status(issuer.token()) == 200
        assert issuer.count() == {}
        issuer.fail(KEYS, script=script)
        assert await scene.status(issuer.token(key=NEW)) == 503
        issuer.faults.clear()
        scene.within = {}
        await scene.turn_to_the_next_try()
        assert await scene.status(issuer.token(key=NEW)) == 401, "now it can be judged"


@pytest.mark.parametrize("status", ["201 Created", "206 Partial Content", "404 Not Found", "500 X", "503 X"])
@pytest.mark.parametrize("paths", [METADATA, (KEYS,)], ids=["metadata", "keys"])
async def test_a_good_document_of_another_status_than_200_is_none(
    scene: Scene, issuer: ScriptedIssuer, paths: tuple[str, ...], status: str
) -> None:
    """D26: what a broken server or a cache says beside its failure is not believed."""
    members = issuer.mint.jwks() | {"issuer": issuer.url, "jwks_uri": issuer.url + KEYS}
    issuer.fail(*paths, script=answers(json.dumps(members).encode(), status=status))
    assert await scene.status(issuer.token()) == 503
    issuer.fail(*paths, script=document(members))
    scene.time.turn(1)
    assert await scene.status(issuer.token()) == 200, "the positive control"


@pytest.mark.parametrize("paths", [METADATA, (KEYS,)], ids=["metadata", "keys"])
async def test_an_answer_of_100_mb_is_left_after_its_first(
    scene: Scene, issuer: ScriptedIssuer, paths: tuple[str, ...]
) -> None:
    """Design §9, T28: what lies in the buffers of the sockets is all that is taken beyond the bound."""
    sent: list[int] = []

    async def huge(writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\n\r\n{"keys": ["')
        for _ in range(100):
            writer.write(b"x" * 1_000_000)
            await writer.drain()
            sent.append(1_000_000)

    issuer.fail(*paths, script=huge)
    assert await scene.status(issuer.token()) == 503
    assert MAX_DOCUMENT < 2_000_000
    assert sum(sent) < 20_000_000 * len(paths)


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "307 T", "308 P"])
@pytest.mark.parametrize("paths", [METADATA, (KEYS,)], ids=["metadata", "keys"])
async def test_a_redirect_leads_nowhere(
    scene: Scene, issuer: ScriptedIssuer, paths: tuple[str, ...], status: str
) -> None:
    """RS-8414-2-a: the other host, which would answer with good documents, gets no connection."""
    async with serve(document(issuer.mint.jwks() | {"issuer": issuer.url})) as other:
        issuer.fail(*paths, script=answers(b"", status=status, headers=f"location: {other.url}\r\n"))
        assert await scene.status(issuer.token()) == 503
        assert other.connections == 0


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param({"issuer": "https://id.example.com"}, id="another-issuer"),
        pytest.param({"issuer": None}, id="no-issuer"),
        pytest.param({"jwks_uri": None}, id="no-jwks_uri"),
        pytest.param({"jwks_uri": "file:///etc/passwd"}, id="file"),
        pytest.param({"jwks_uri": "http://192.0.2.1/keys"}, id="plain-http-elsewhere"),
        pytest.param({"jwks_uri": "http://169.254.169.254/latest/meta-data"}, id="cloud-metadata"),
        pytest.param({"jwks_uri": "http://user:secret@127.0.0.1/keys"}, id="user-information"),
    ],
)
async def test_metadata_that_lies_is_not_followed(scene: Scene, issuer: ScriptedIssuer, lie: dict[str, Any]) -> None:
    """RS-8414-3.3-a, T23: no key is asked for, at whatever address it names; the second address is asked."""
    issuer.metadata = lie
    assert await scene.status(issuer.token()) == 503
    assert issuer.count() == {OPENID: 1, OAUTH: 1}
    [decision] = scene.decisions
    assert decision.refusal is not None
    assert "secret" not in decision.refusal.reason


async def test_keys_may_be_at_another_host(scene: Scene, issuer: ScriptedIssuer) -> None:
    """OpenID Connect Discovery §3: large providers do so; the issuer's own word decides."""
    async with serve(document(issuer.mint.jwks())) as other:
        issuer.metadata = {"jwks_uri": other.url}
        assert await scene.status(issuer.token()) == 200
        assert other.connections == 1
    assert issuer.count() == {OPENID: 1}

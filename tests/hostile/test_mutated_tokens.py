"""Twenty thousand mutations of good tokens over real sockets: none is accepted, and nothing grows."""

import asyncio
import os
import re
from collections import Counter
from itertools import islice

from resource_server.development.minting import Mint
from tests.hostile.mutations import Mutator, decode, encode, is_http, is_token68
from tests.hostile.process import Server
from tests.hostile.raw import BAD, INVALID, MALFORMED, ask, bearer, request

COUNT = 20_000
CHUNK = 5_000
BATCH = 50
CONNECTIONS = 4
TIMEOUT = 20.0
MAX_GROWTH = 4 * 1024
"""KiB."""
SEED = int(os.environ.get("SEED", "6750"))

DATE = re.compile(rb"date: [A-Za-z0-9,: ]{29}\r\n")
DATE_SIZE = 37


def written(status: str, body: bytes, challenge: str = "") -> bytes:
    """An answer of the application, byte by byte, but for its date."""
    field = f'www-authenticate: Bearer realm="api", {challenge}\r\n' if challenge else ""
    head = f"HTTP/1.1 {status}\r\n{field}cache-control: no-store\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


UNIFORM = written("401 Unauthorized", INVALID, 'error="invalid_token", error_description="The access token is invalid"')
NOT_TOKEN68 = written(
    "400 Bad Request", MALFORMED, 'error="invalid_request", error_description="The Authorization header is malformed"'
)
TOO_LARGE = written(
    "431 Request Header Fields Too Large",
    b'{"error":"invalid_request","error_description":"The Authorization header field is too large","status":431}',
)


def expected(token: bytes) -> bytes:
    """What the contract says, from the token's shape alone (D03, D05, D06 to D15)."""
    if len(b"Bearer " + token.strip(b" \t")) > 16 * 1024:
        return TOO_LARGE
    return UNIFORM if is_token68(token) else NOT_TOKEN68


def asking(token: bytes) -> bytes:
    return request("/api/v1/me", b"Authorization: Bearer " + token)


async def attack(port: int, tokens: list[bytes]) -> None:
    """All of them, many to a connection; each answer must be the expected one."""
    pending = [tokens[start : start + BATCH] for start in range(0, len(tokens), BATCH)]

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while pending:
            batch = pending.pop()
            answers = [expected(token) for token in batch]
            writer.write(b"".join(map(asking, batch)))
            async with asyncio.timeout(TIMEOUT):
                data = await reader.readexactly(sum(map(len, answers)) + DATE_SIZE * len(answers))
            data = DATE.sub(b"", data)
            for token, answer in zip(batch, answers, strict=True):
                assert data.startswith(answer), token
                data = data[len(answer) :]
            assert data == b""
        writer.close()
        await writer.wait_closed()

    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(work())


async def test_of_20_000_mutated_tokens_none_is_accepted_each_answer_is_exact_and_memory_stays_flat(
    served: Server, mint: Mint, user_token: str
) -> None:
    """Issue 3, hostile input; D03, D05 to D15; T11, T14: a refusal is remembered by nobody."""
    good = request("/orders", bearer(user_token))
    assert [answer.status for answer in ask(served.port, good)] == [200, 200]
    stream = Mutator(mint, SEED).tokens(COUNT)
    kinds: Counter[bytes] = Counter()
    memory = []
    while chunk := list(islice(stream, CHUNK)):
        sendable = [token for token in chunk if is_http(token)]
        kinds.update(map(expected, sendable))
        await attack(served.port, sendable)
        for token in set(chunk) - set(sendable):
            assert ask(served.port, asking(token)) == [BAD], token
            kinds[BAD.body] += 1
        memory.append(served.memory)
    assert kinds.total() == COUNT
    assert kinds[UNIFORM] > COUNT / 2
    assert min(kinds[NOT_TOKEN68], kinds[TOO_LARGE], kinds[BAD.body]) > 100
    assert memory[-1] - memory[1] < MAX_GROWTH, memory  # the first half warms the allocator up
    assert [answer.status for answer in ask(served.port, good)] == [200, 200]


def test_the_other_signature_of_ecdsa_is_the_one_mutation_that_is_good(served: Server, mint: Mint) -> None:
    """Of (r, s) and (r, n - s) either verifies (FIPS 186-5): hence nothing may take a token's text for its identity."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    signing_input, _, signature = mint.access_token().encode().rpartition(b".")
    raw = decode(signature)
    other = raw[:32] + (order - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    answers = ask(served.port, asking(signing_input + b"." + encode(other)))
    assert [answer.status for answer in answers] == [200, 200]

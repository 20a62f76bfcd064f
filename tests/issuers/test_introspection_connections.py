"""Connections to an introspection endpoint: kept, few, and nobody else's."""

import asyncio

import pytest

from resource_server import Refusal
from resource_server.issuers.introspection_endpoint import MAX_CONNECTIONS, IntrospectionEndpoint
from tests.issuers.asked import JSON, TOKEN, Asked, asked, asking, endpoint, says


async def test_many_questions_one_after_another_use_one_connection() -> None:
    """DESIGN §2: a handshake for each question would be the greater part of it."""
    async with asked(says()) as (asks, address):
        for _ in range(50):
            assert await asks.ask(TOKEN) is not None
    assert (len(address.requests), address.connections) == (50, 1)


async def test_many_questions_at_once_use_no_more_connections_than_there_may_be() -> None:
    """T24: a stranger's thousand tokens open no thousand connections."""
    async with asked(says(), within=60) as (asks, address):
        await asyncio.gather(*(asks.ask(f"t{number}") for number in range(130)))
    assert MAX_CONNECTIONS == 64
    assert len(address.requests) == 130
    assert address.connections <= MAX_CONNECTIONS
    assert sorted(question.form["token"] for question in address.requests) == sorted(f"t{n}" for n in range(130))


async def test_who_waits_for_a_busy_server_s_connection_is_no_failure_of_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """T24: a stranger with 128 tokens must not make a slow server look dead, and switch it off for everybody."""
    loop, passed = asyncio.get_running_loop(), 0.0
    running = loop.time
    monkeypatch.setattr(loop, "time", lambda: running() + passed)
    gates = [asyncio.Event(), asyncio.Event()]

    async def slow(question: Asked, writer: asyncio.StreamWriter) -> None:
        await gates[int(question.form["token"]) // MAX_CONNECTIONS].wait()
        await says()(question, writer)

    async with asked(slow) as (asks, address):

        async def reached(count: int) -> None:
            for _ in range(10_000):
                if len(address.requests) == count:
                    return
                await asyncio.sleep(0)

        first, second = ([asyncio.create_task(asks.ask(str(n + at))) for n in range(MAX_CONNECTIONS)] for at in (0, 64))
        last = asyncio.create_task(asks.ask("128"))
        await reached(MAX_CONNECTIONS)
        passed = 3.0
        gates[0].set()
        await asyncio.gather(*first)
        await reached(2 * MAX_CONNECTIONS)
        passed = 6.0
        with pytest.raises(Refusal) as caught:
            await last
        assert caught.value.reason == "introspection at http://127.0.0.1:1: all connections to it are busy"
        gates[1].set()
        assert len(await asyncio.gather(*second)) == MAX_CONNECTIONS
        assert await asks.ask("0") is not None
    assert len(address.requests) == 2 * MAX_CONNECTIONS + 1


async def test_a_server_that_closes_its_connections_is_asked_on_new_ones() -> None:
    """A connection that the server has closed meanwhile is no failure."""
    async with asked(says(), once=True) as (asks, address):
        for _ in range(5):
            assert await asks.ask(TOKEN) is not None
    assert address.connections == 5


async def test_a_broken_exchange_spoils_no_other() -> None:
    """What was left of one answer must not be read as the next."""

    async def by_token(question: Asked, writer: asyncio.StreamWriter) -> None:
        token = question.form["token"].encode()
        if token == b"slow":
            await asyncio.Event().wait()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(token) + token)
        await writer.drain()

    async with asked(by_token, within=0.1) as (asks, _):
        for number in range(3):
            with pytest.raises(Refusal):
                await asks.ask("slow")
            answered = await asks.ask(f"t{number}")
            assert answered is not None
            assert answered.body == f"t{number}".encode()


async def test_no_cookie_of_the_server_is_sent_back() -> None:
    """Nothing ties one question to another."""
    async with asked(says(headers=JSON + "set-cookie: session=1; Path=/\r\n")) as (asks, address):
        await asks.ask("a")
        await asks.ask("b")
    assert ["cookie" in question.headers for question in address.requests] == [False, False]


async def test_the_environment_is_not_asked_for_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN §3."""
    async with asked(says()) as (asks, address), endpoint(says()) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        await asks.ask(TOKEN)
        assert (address.connections, proxy.connections) == (1, 0)


def test_connections_belong_to_the_event_loop_that_made_them() -> None:
    """A second start in one process: no answer is waited for in a loop that is over."""
    asks: IntrospectionEndpoint | None = None

    async def once() -> tuple[int, object]:
        nonlocal asks
        async with endpoint(says()) as address:
            asks = asks or asking("http://127.0.0.1:1/introspect")
            post = asks._post
            answered = await post(address.url, {"token": TOKEN}, {})
            await asks.aclose()
        return address.connections, answered.status

    assert [asyncio.run(once()) for _ in range(3)] == [(1, 200)] * 3

"""A real introspection endpoint on a loopback socket, which keeps its connections."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from resource_server.clock import Clock
from resource_server.issuers.client_authentication import ClientAuthentication
from resource_server.issuers.introspection import Introspection
from resource_server.issuers.introspection_endpoint import TIMEOUT, HttpPost, IntrospectionEndpoint
from resource_server.issuers.issuer import Issuer
from tests.introspecting import API, CLIENT

TOKEN = "a.b-c_d~e+f/g=="
ACTIVE = b'{"active": true}'
JSON = "content-type: application/json\r\n"


@dataclass
class Asked:
    """One request, as it was on the wire."""

    line: str
    fields: list[tuple[str, str]]
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.fields)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))


@dataclass
class Address:
    """Where it is, and what it has seen."""

    url: str = ""
    requests: list[Asked] = field(default_factory=list)
    connections: int = 0
    certificates: list[object] = field(default_factory=list)
    """Of its clients, by connection."""


Answer = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


def says(body: bytes = ACTIVE, *, status: str = "200 OK", headers: str = JSON, length: int | None = None) -> Answer:
    """A whole response."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        size = len(body) if length is None else length
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: {size}\r\n{headers}\r\n".encode() + body)
        await writer.drain()

    return answer


@asynccontextmanager
async def endpoint(answer: Answer, *, tls: ssl.SSLContext | None = None, once: bool = False) -> AsyncIterator[Address]:
    """Answer every request, on connections that are kept, or closed after ``once``."""
    address = Address()
    open_: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address.connections += 1
        open_.add(writer)
        certificate = writer.get_extra_info("peercert") if tls else None
        address.certificates.append(certificate)
        try:
            while True:
                asked = await _read(reader)
                address.requests.append(asked)
                await answer(asked, writer)
                if once:
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has hung up
        finally:
            open_.discard(writer)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    address.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/introspect"
    try:
        yield address
    finally:
        server.close()
        for writer in list(open_):
            writer.transport.abort()
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().strip()
    line, *lines = head.split("\r\n")
    fields = [(name.lower(), value) for name, _, value in (one.partition(": ") for one in lines)]
    size = int(dict(fields).get("content-length", "0"))
    return Asked(line, fields, await reader.readexactly(size))


def asking(
    url: str, *, signed: bool = False, within: float = TIMEOUT, client: ClientAuthentication = CLIENT, **options: Any
) -> IntrospectionEndpoint:
    """Whoever asks that address. ``options`` are the issuer's."""
    introspection = Introspection(endpoint=url, client=client, signed=signed)
    given: dict[str, Any] = {"url": "http://127.0.0.1:1", "audience": API, "introspection": introspection} | options
    issuer = Issuer(**given)
    post = HttpPost(issuer, introspection, within=within)
    return IntrospectionEndpoint(issuer, introspection, clock=Clock(), post=post)


@asynccontextmanager
async def asked(
    answer: Answer, *, within: float = TIMEOUT, once: bool = False
) -> AsyncIterator[tuple[IntrospectionEndpoint, Address]]:
    async with endpoint(answer, once=once) as address:
        asks = asking(address.url, within=within)
        yield asks, address
        await asks.aclose()

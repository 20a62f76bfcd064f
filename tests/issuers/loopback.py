"""A real server on a loopback socket that says exactly what a test has written down, byte by byte."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Script = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Served:
    """The server's address, and the requests it has read."""

    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0


@asynccontextmanager
async def serve(script: Script, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> AsyncIterator[Served]:
    """Answer every connection by the script, and hang up."""
    served = Served()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.connections += 1
        try:
            served.requests.append(await reader.readuntil(b"\r\n\r\n"))
            await script(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has hung up, as some tests want
        finally:
            writer.close()

    server = await asyncio.start_server(answer, host, 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    served.url = f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}/doc"
    try:
        yield served
    finally:
        server.close()
        await server.wait_closed()


def says(*chunks: bytes) -> Script:
    """Write the chunks as they are."""

    async def script(writer: asyncio.StreamWriter) -> None:
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()

    return script


def answers(body: bytes, *, status: str = "200 OK", headers: str = "", length: int | None = None) -> Script:
    """A whole response."""
    size = len(body) if length is None else length
    return says(f"HTTP/1.1 {status}\r\ncontent-length: {size}\r\n{headers}\r\n".encode() + body)

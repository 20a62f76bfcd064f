"""Many requests at the same time, each on a connection of its own: what comes when a remembered answer has ended."""

import asyncio
from collections.abc import Callable, Sequence

from tests.integration.exchange import Answer, bearer, parse

PATIENCE = 60
"""Seconds after which an answer will not come."""


def stampede(
    port: int, tokens: Sequence[str], sent: Callable[[], None] = lambda: None, target: str = "/api/v1/me"
) -> list[Answer]:
    """One request with each token, all under way before the first answer is read; ``sent`` is called in between."""

    async def run() -> list[Answer]:
        async with asyncio.timeout(PATIENCE):
            connections = [await asyncio.open_connection("127.0.0.1", port) for _ in tokens]
            for (_, writer), token in zip(connections, tokens, strict=True):
                lines = [
                    f"GET {target} HTTP/1.1",
                    f"Host: 127.0.0.1:{port}",
                    bearer(token),
                    "Connection: close",
                    "",
                    "",
                ]
                writer.write("\r\n".join(lines).encode())
            for _, writer in connections:
                await writer.drain()
            await asyncio.to_thread(sent)
            answers = [parse(await reader.read()) for reader, _ in connections]
            for _, writer in connections:
                writer.close()
            return answers

    return asyncio.run(run())

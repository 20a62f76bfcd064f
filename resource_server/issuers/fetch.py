"""The only outgoing HTTP to issuers: small JSON documents, strictly bounded."""

import asyncio
import json
from typing import Any, Final, Protocol
from urllib.parse import urlsplit, urlunsplit

import httpx2

MAX_DOCUMENT: Final = 1024 * 1024
"""Bytes."""
TIMEOUT: Final = 5.0
"""Seconds for the whole exchange, so that a server that drips bytes can't hold it open."""


class FetchError(Exception):
    """A document could not be had. Its text is for the operator."""


class Fetch(Protocol):
    """Gets a JSON object from a URL; raises :class:`FetchError`. Tests and special networks bring their own."""

    async def __call__(self, url: str) -> dict[str, Any]:
        """Answer the document at an https URL, or at a loopback http one."""
        ...


async def fetch(url: str, *, within: float = TIMEOUT) -> dict[str, Any]:
    """GET a JSON object, within so many seconds. Raises :class:`FetchError` and nothing else.

    Follows no redirect, accepts no compression (a small answer could become a huge one), reads no proxy or certificate
    settings from the environment, and opens a connection of its own, so that no event loop outlives another in a pool.
    """
    try:
        async with asyncio.timeout(within):
            body = await _get(url)
    except (OSError, httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:  # a time-out is an OSError
        raise FetchError(f"{url}: {type(error).__name__}") from error
    try:
        document = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise FetchError(f"{url}: the answer is no JSON") from error
    if not isinstance(document, dict):
        raise FetchError(f"{url}: the answer is no JSON object")
    return document


async def _get(url: str) -> bytes:
    target, host = _connectable(url)
    headers = {"accept": "application/json", "accept-encoding": "identity", "host": host}
    async with (
        httpx2.AsyncClient(follow_redirects=False, trust_env=False, timeout=None) as client,
        client.stream("GET", target, headers=headers) as response,
    ):
        if response.status_code != 200:
            raise FetchError(f"{url}: status {response.status_code}")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise FetchError(f"{url}: the answer is compressed")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_DOCUMENT:
                raise FetchError(f"{url}: the answer is larger than {MAX_DOCUMENT} bytes")
        return bytes(body)


def _connectable(url: str) -> tuple[str, str]:
    """Connect to ``localhost`` by its address: a name server that lies must not lead plain http elsewhere."""
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname == "localhost":
        port = f":{parts.port}" if parts.port else ""
        return urlunsplit(parts._replace(netloc=f"127.0.0.1{port}")), parts.netloc
    return url, parts.netloc

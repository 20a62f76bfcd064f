"""Tokens and key sets of every shape, made by hand."""

import base64
import hashlib
import hmac
import json
from typing import Any

from resource_server.issuers.fetch import Fetch, Fetched
from tests.rfc.probe import Probe


def base64url(raw: bytes) -> str:
    """Without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unbase64url(text: str) -> bytes:
    """The reverse."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims(api: Probe, **changed: Any) -> dict[str, Any]:
    """What a good token says."""
    said: dict[str, Any] = json.loads(unbase64url(api.token().split(".")[1]))
    return said | changed


def header(api: Probe, **changed: Any) -> dict[str, Any]:
    """The JOSE header of a good token."""
    said: dict[str, Any] = json.loads(unbase64url(api.token().split(".")[0]))
    return said | changed


def compact(said: dict[str, Any], payload: dict[str, Any], signature: bytes) -> str:
    """Three parts, whatever the third is worth."""
    return ".".join(base64url(raw) for raw in (json.dumps(said).encode(), json.dumps(payload).encode(), signature))


def hmac_token(api: Probe, secret: bytes, **changed: Any) -> str:
    """A token under a shared secret, which anybody can make who knows it."""
    signing_input = compact(header(api, alg="HS256", **changed), claims(api), b"").rstrip(".")
    return f"{signing_input}.{base64url(hmac.digest(secret, signing_input.encode(), hashlib.sha256))}"


def publishing(api: Probe, *keys: Any) -> Fetch:
    """An issuer that publishes these keys."""

    async def fetch(url: str) -> Fetched:
        fetched = await api.issuer.fetch(url)
        return Fetched({"keys": list(keys)}) if "keys" in fetched.document else fetched

    return fetch

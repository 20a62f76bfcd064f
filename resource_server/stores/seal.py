"""What is kept in a shared store is sealed: who writes to it is believed nothing, who reads it learns nothing (T15)."""

import hashlib
import os
from collections.abc import Sequence
from typing import Any, Final

from resource_server.configuration_error import ConfigurationError

VERSION: Final = b"resource_server 1"
MIN_KEY: Final = 32
"""Bytes."""
_NONCE: Final = 12


class Seal:
    """Seals values under the first of some keys, and opens those of all, so that a key can be replaced.

    ``keys`` are at least 32 random bytes each, and are kept out of the store. Raises :class:`ConfigurationError`.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if len(keys) not in (1, 2) or not all(type(key) is bytes and len(key) >= MIN_KEY for key in keys):
            raise ConfigurationError("store_key", f"must be one or two keys of at least {MIN_KEY} random bytes")
        self._ciphers = [_cipher(key) for key in keys]

    def seal(self, value: bytes, context: bytes) -> bytes:
        """Encrypt a value; it can be opened in the same context alone."""
        nonce = os.urandom(_NONCE)
        encrypted: bytes = self._ciphers[0].encrypt(nonce, value, VERSION + context)
        return nonce + encrypted

    def open(self, sealed: bytes, context: bytes) -> bytes | None:
        """The value; None for whatever was not sealed by us in this context."""
        from cryptography.exceptions import InvalidTag

        nonce, encrypted = sealed[:_NONCE], sealed[_NONCE:]
        for cipher in self._ciphers:
            try:
                opened: bytes = cipher.decrypt(nonce, encrypted, VERSION + context)
            except (InvalidTag, ValueError):
                continue
            return opened
        return None

    def __repr__(self) -> str:
        return f"Seal({len(self._ciphers)} keys)"


def context_of(*parts: bytes) -> bytes:
    """Join parts so that no two lists of them are one text."""
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def key_of(context: bytes) -> bytes:
    """The store's key for a context: a digest of all of it, never of a token alone."""
    return hashlib.sha256(VERSION + context).hexdigest().encode()


def _cipher(key: bytes) -> Any:
    """Loads ``cryptography``, which an import of this package should not."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return ChaCha20Poly1305(HKDF(SHA256(), 32, salt=None, info=b"resource_server store seal").derive(key))

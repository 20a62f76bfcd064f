"""Connections that a client has opened and lost: one that is cancelled in its TLS handshake leaves its socket open.

The client closes what fails of itself, but a time-out over the whole exchange is no failure to it.
"""

from collections.abc import Mapping
from typing import Any


class Opened:
    """The connections that one exchange has opened, so that whoever ends it can close them, too."""

    def __init__(self) -> None:
        self._streams: list[Any] = []

    @property
    def extensions(self) -> dict[str, Any]:
        """What to give the client with a request, so that it tells of its connections."""
        return {"trace": self._note}

    async def _note(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith("connect_tcp.complete"):
            self._streams.append(info["return_value"])

    async def aclose(self) -> None:
        """Close those that are open still: for an exchange that has failed, which no other may share."""
        for stream in self._streams:
            await stream.aclose()

"""The parameters of a request to an authorization server, read strictly (RFC 6749 §3.1 and §3.2)."""

from typing import Final
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error, OAuth2Payload, OAuth2Request
from starlette.datastructures import Headers
from starlette.requests import Request as HTTPRequest

MAX_PARAMETERS: Final = 50

MAY_REPEAT: Final = frozenset({"resource"})
"""RFC 8707 §2 lets a client name several."""


class InvalidTargetError(OAuth2Error):
    """The ``resource`` is not one that this server issues tokens for (RFC 8707 §2)."""

    error = "invalid_target"
    description = "Tokens are issued for this server's one API only."


class Parameters(OAuth2Payload):
    """Parameters in the order in which they came. One without a value counts as left out (RFC 6749 §3.1)."""

    def __init__(self, raw: bytes) -> None:
        lists: dict[str, list[str]] = {}
        for name, value in _parse(raw):
            lists.setdefault(name, []).append(value)
        self._lists = lists
        self._data = {name: values[0] for name, values in lists.items() if values[0]}

    @property
    def data(self) -> dict[str, str]:
        """Each parameter's first value."""
        return self._data

    @property
    def datalist(self) -> dict[str, list[str]]:
        """All values of each parameter."""
        return self._lists

    def single(self, name: str) -> str | None:
        """Give a value, unless there are several to choose from."""
        return self._data.get(name) if len(self._lists.get(name, ())) == 1 else None

    def refuse_repetition(self) -> None:
        """Refuse a parameter that comes twice, known or not: two readers could read two different requests."""
        for name, values in self._lists.items():
            if len(values) > 1 and name not in MAY_REPEAT:
                raise InvalidRequestError("A parameter is given more than once.")

    def refuse_other_resources(self, audience: str) -> None:
        """Refuse a ``resource`` that is not the API (RFC 8707 §2)."""
        if any(resource and resource != audience for resource in self._lists.get("resource", ())):
            raise InvalidTargetError


class Request(OAuth2Request):
    """What Authlib wants to know of a request.

    The URI is the server's own, never built from the Host header: Authlib looks only whether it is https or loopback.
    """

    def __init__(self, method: str, uri: str, headers: Headers, parameters: Parameters) -> None:
        super().__init__(method, uri, None, headers)
        self.headers: Headers = headers
        self.payload: Parameters = parameters

    @property
    def form(self) -> dict[str, str]:
        """The parameters again, under the name by which Authlib reads those of a token request."""
        return self.payload.data


async def read_form(http: HTTPRequest) -> Parameters:
    """Read a body that is a form of the one kind that OAuth knows, with nothing in it twice."""
    content_type = http.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise InvalidRequestError("The body has to be application/x-www-form-urlencoded.")
    form = Parameters(await http.body())
    form.refuse_repetition()
    return form


def _parse(raw: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError as error:
        raise InvalidRequestError("The parameters are not properly encoded, or too many.") from error

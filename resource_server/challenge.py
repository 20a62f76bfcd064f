"""Station 5: from a refusal to the answer on the wire, and back from a challenge to its parts.

Built and parsed by the grammar of RFC 9110 §11.6.1, with the character sets of RFC 6750 §3. ``docs/refusals.md``
holds the decision table that this file renders.
"""

import json
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from resource_server.configuration_error import ConfigurationError
from resource_server.demands import Demands
from resource_server.refusals import TABLE, Kind, Refusal, Row

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|\Z))")
_QUOTED = re.compile(r'"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*)"')
_WRITABLE = re.compile(r"[\x20-\x7e]*")
_BEARER_SAFE = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")
_SPACE = re.compile(r"[ \t]*")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge of a WWW-Authenticate field: ``str()`` is its text (RFC 9110 §11.3).

    Parameters keep their order; ``token68`` stands instead of parameters in schemes that use it. Raises
    :class:`ValueError` for what can't be written: controls, non-ASCII, a repeated name.
    """

    scheme: str
    parameters: tuple[tuple[str, str], ...] = ()
    token68: str | None = None

    def __post_init__(self) -> None:
        names = [name for name, _ in self.parameters]
        if not all(map(_TOKEN.fullmatch, [self.scheme, *names])):
            raise ValueError("a scheme and a parameter name must be tokens (RFC 9110 §5.6.2)")
        if len({name.lower() for name in names}) < len(names):
            raise ValueError("a parameter must occur once in a challenge (RFC 9110 §11.2)")
        if self.token68 is not None and (self.parameters or not _TOKEN68.fullmatch(self.token68)):
            raise ValueError("a challenge holds either one token68 or parameters (RFC 9110 §11.3)")

    def __str__(self) -> str:
        if self.token68 is not None:
            return f"{self.scheme} {self.token68}"
        if not self.parameters:
            return self.scheme
        return f"{self.scheme} " + ", ".join(f"{name}={_quote(value)}" for name, value in self.parameters)

    def get(self, name: str) -> str | None:
        """A parameter's value; names are compared without regard to case."""
        return next((value for known, value in self.parameters if known.lower() == name.lower()), None)


def _quote(value: str) -> str:
    if not _WRITABLE.fullmatch(value):
        raise ValueError("a parameter's value must be printable ASCII, so that it can't end the header line")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse(*fields: str) -> list[Challenge]:
    """Read all challenges of all WWW-Authenticate field lines, each line a value of its own or joined by commas.

    Follows the grammar strictly (``Bearer, error="x"`` is an error, unlike empty list members). Raises
    :class:`ValueError`, naming the position.
    """
    return [challenge for field in fields for challenge in _parse_field(field)]


def _parse_field(field: str) -> Iterable[Challenge]:
    at = 0
    while True:
        at = _skip_commas(field, at)
        if at == len(field):
            return
        scheme = _TOKEN.match(field, at)
        if scheme is None:
            raise ValueError(f"expected a scheme at position {at}")
        at = scheme.end()
        token68: str | None = None
        parameters: list[tuple[str, str]] = []
        if field[at : at + 1] == " ":
            at = _SPACE.match(field, at).end()  # type: ignore[union-attr]  # matches the empty string too
            if single := _TOKEN68.match(field, at):
                token68, at = single[0], single.end()
            else:
                at, parameters = _parse_parameters(field, at)
        yield Challenge(scheme[0], tuple(parameters), token68)
        at = _SPACE.match(field, at).end()  # type: ignore[union-attr]
        if at < len(field) and field[at] != ",":
            raise ValueError(f"expected a comma at position {at}")


def _parse_parameters(field: str, at: int) -> tuple[int, list[tuple[str, str]]]:
    """Read ``name=value`` pairs until something else begins; give back where that is."""
    parameters: list[tuple[str, str]] = []
    while True:
        start = _skip_commas(field, at) if parameters else at
        name = _TOKEN.match(field, start)
        equals = re.compile(r"[ \t]*=[ \t]*").match(field, name.end()) if name else None
        if name is None or equals is None:
            return at, parameters
        quoted = _QUOTED.match(field, equals.end())
        plain = _TOKEN.match(field, equals.end())
        if value := quoted or plain:
            text = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else value[0]
            parameters.append((name[0].lower(), text))
            at = _SPACE.match(field, value.end()).end()  # type: ignore[union-attr]
        else:
            raise ValueError(f"expected a value at position {equals.end()}")
        if at < len(field) and field[at] != ",":
            raise ValueError(f"expected a comma at position {at}")


def _skip_commas(field: str, at: int) -> int:
    """Pass over empty list members, as a recipient has to (RFC 9110 §5.6.1.2)."""
    while at < len(field) and field[at] in ", \t":
        at += 1
    return at


@dataclass(frozen=True, slots=True)
class ProtectionSpace:
    """What all challenges of one resource server have in common; configured, never taken from a request."""

    realm: str = "api"
    resource: str | None = None
    """This API's public identifier (RFC 8707, RFC 9728), byte for byte as configured."""
    resource_metadata: str | None = None
    """Where its metadata document is (RFC 9728 §5.1)."""
    dpop_algorithms: tuple[str, ...] = ()
    """Not empty where DPoP is accepted beside Bearer (RFC 9449 §7.1)."""
    disclose_requirements: bool = False
    """Whether a role refusal names the route's static roles: any token holder learns which group to join."""

    def __post_init__(self) -> None:
        if not (self.realm and _WRITABLE.fullmatch(self.realm)):
            raise ConfigurationError("realm", "must be printable ASCII and not empty: give it as api")


@dataclass(frozen=True, slots=True)
class Answer:
    """A rendered refusal. Header names are lower case; ``www-authenticate`` may occur more than once."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: dict[str, Any]

    @property
    def content(self) -> bytes:
        """The body on the wire."""
        return json.dumps(self.body, separators=(",", ":")).encode()


def answer(
    refusal: Refusal,
    space: ProtectionSpace,
    demands: Demands = Demands(),  # noqa: B008 - immutable
    *,
    scheme: str | None = None,
    accept: str = "",
) -> Answer:
    """Render a refusal.

    ``scheme`` is the authentication scheme that the client used, if it was one of ours: the error travels in
    that scheme's challenge, another scheme gets a bare one (RFC 9449 §7.2). ``accept`` is the request's Accept
    field: a caller that names ``application/problem+json`` gets RFC 9457.
    """
    row = TABLE[refusal.kind]
    headers = [("www-authenticate", text) for text in _challenges(refusal.kind, space, demands, scheme)]
    headers.append(("cache-control", "no-store"))
    retry_after = row.retry_after if refusal.retry_after is None else refusal.retry_after
    if retry_after is not None:
        headers.append(("retry-after", str(retry_after)))
    body = _body(refusal.kind, row, space, demands)
    if not prefers_problem(accept):
        return Answer(row.status, (*headers, ("content-type", "application/json")), body)
    headers.append(("content-type", "application/problem+json"))
    return Answer(row.status, tuple(headers), problem(row.status, body, space))


@lru_cache(maxsize=4096)  # static per route, so the number of different ones is bounded by the routes
def _challenges(kind: Kind, space: ProtectionSpace, demands: Demands, scheme: str | None) -> tuple[str, ...]:
    schemes = _schemes(kind, space, scheme)
    return tuple(str(_challenge(name, kind, space, demands, told=told)) for name, told in schemes)


def _schemes(kind: Kind, space: ProtectionSpace, scheme: str | None) -> list[tuple[str, bool]]:
    """The schemes to challenge with, the client's own first, and whether each of them is told the error."""
    row = TABLE[kind]
    if not row.challenged:
        return []
    schemes = ["Bearer", "DPoP"] if space.dpop_algorithms else ["Bearer"]
    used = scheme if scheme in schemes else "Bearer"
    schemes.sort(key=lambda name: name != used)  # weak clients read only the first
    if row.id in ("D21", "D25"):
        schemes = [used]  # the token was good: nobody is asked to come with another scheme
    return [(name, name == used or kind is Kind.REPEATED_CREDENTIALS) for name in schemes]


def _challenge(scheme: str, kind: Kind, space: ProtectionSpace, demands: Demands, *, told: bool) -> Challenge:
    row = TABLE[kind]
    parameters = [("realm", space.realm)]
    if told and row.error and row.description:
        parameters += [("error", row.error), ("error_description", row.description)]
    if _names_scopes(kind, told=told) and demands.scopes:
        parameters.append(("scope", " ".join(demands.scopes)))
    if TABLE[kind].id == "D25":
        parameters += [(name, str(value)) for name, value in _step_up(demands).items()]
    if scheme == "DPoP":
        parameters.append(("algs", " ".join(space.dpop_algorithms)))
    if space.resource_metadata:
        parameters.append(("resource_metadata", space.resource_metadata))
    return Challenge(scheme, tuple(parameters))


def _names_scopes(kind: Kind, *, told: bool) -> bool:
    """Scopes go with the bare challenge and with the two refusals that more scope would cure."""
    curable = (Kind.INSUFFICIENT_SCOPE, Kind.INSUFFICIENT_AUTHENTICATION_AND_SCOPE)
    return not told or TABLE[kind].error is None or kind in curable


def _step_up(demands: Demands) -> dict[str, Any]:
    """The parameters of RFC 9470 §3."""
    told: dict[str, Any] = {}
    if demands.acr_values:
        told["acr_values"] = " ".join(demands.acr_values)
    if demands.max_age is not None:
        told["max_age"] = demands.max_age
    return told


def _body(kind: Kind, row: Row, space: ProtectionSpace, demands: Demands) -> dict[str, Any]:
    if row.error:
        body: dict[str, Any] = {"error": row.error, "error_description": row.description}
    else:
        body = {"title": row.title}
    if row.error and _names_scopes(kind, told=True) and demands.scopes:
        body["scope"] = " ".join(demands.scopes)
    if row.id == "D25":
        body |= _step_up(demands)
    body["status"] = row.status
    if row.detail:
        body["detail"] = row.detail
    if kind is Kind.MISSING_ROLE and space.disclose_requirements and demands.roles:
        body["required_roles"] = list(demands.roles)
    return body


def prefers_problem(accept: str) -> bool:
    """Whether an Accept field names ``application/problem+json``, and not as worse than plain JSON."""
    if "application/problem+json" not in accept.lower():
        return False
    weights = {"application/problem+json": 0.0, "application/json": 0.0}
    for member in accept.lower().split(","):
        name, *parameters = [part.strip() for part in member.split(";")]
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        if name in weights and re.fullmatch(r"0(\.\d{0,3})?|1(\.0{0,3})?", quality):
            weights[name] = float(quality)
    return 0 < weights["application/problem+json"] >= weights["application/json"]


def problem(status: int, body: dict[str, Any], space: ProtectionSpace) -> dict[str, Any]:
    """The same members as an RFC 9457 problem; ``instance`` is an opaque id of this one answer."""
    title = body.get("title") or HTTPStatus(status).phrase
    code = body.get("error") or title.lower().replace(" ", "_")
    kind = f"{space.resource.rstrip('/')}/problems/{code}" if space.resource else "about:blank"
    return {**body, "type": kind, "title": title, "instance": uuid.uuid4().urn}


def is_bearer_safe(text: str) -> bool:
    """Whether a text may stand in an ``error_description`` or a ``scope`` (RFC 6750 §3: no quote, no backslash)."""
    return bool(_BEARER_SAFE.fullmatch(text))

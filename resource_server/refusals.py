"""Every way a request can be refused, and the answer that each one gets.

One enum, one exception, one table. A station of the path raises :class:`Refusal` with a kind and a private
reason; the kind selects a row of :data:`TABLE`; ``challenge.py`` renders the row. Only constants of this file
and static configuration reach the client, so quoting, character sets and secrecy hold by construction.

The row ids (D01 to D33) are those of the decision table in ``docs/refusals.md``.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """Why a request was refused, as the operator sees it. The client sees only the row of :data:`TABLE`."""

    # no usable credentials
    NO_CREDENTIALS = "no_credentials"
    UNSUPPORTED_SCHEME = "unsupported_scheme"
    CREDENTIALS_IN_QUERY = "credentials_in_query"
    MALFORMED_CREDENTIALS = "malformed_credentials"
    REPEATED_CREDENTIALS = "repeated_credentials"
    OVERSIZED_CREDENTIALS = "oversized_credentials"
    # a token that is not a valid access token for this resource server
    MALFORMED_TOKEN = "malformed_token"  # noqa: S105
    INVALID_CLAIM = "invalid_claim"
    WRONG_TOKEN_TYPE = "wrong_token_type"  # noqa: S105
    WRONG_ALGORITHM = "wrong_algorithm"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_KEY = "unknown_key"
    WRONG_ISSUER = "wrong_issuer"
    WRONG_AUDIENCE = "wrong_audience"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    # a token whose sender constraint is not met
    UNCONFIRMED_TOKEN = "unconfirmed_token"  # noqa: S105
    WRONG_CERTIFICATE = "wrong_certificate"
    INVALID_PROOF = "invalid_proof"
    REPLAYED_PROOF = "replayed_proof"
    WRONG_PROOF_KEY = "wrong_proof_key"
    NONCE_REQUIRED = "nonce_required"
    # a good token that does not allow this
    INSUFFICIENT_SCOPE = "insufficient_scope"
    INSUFFICIENT_AUTHORIZATION_DETAILS = "insufficient_authorization_details"
    INSUFFICIENT_AUTHENTICATION = "insufficient_authentication"
    INSUFFICIENT_AUTHENTICATION_AND_SCOPE = "insufficient_authentication_and_scope"
    MISSING_ROLE = "missing_role"
    MISSING_CLAIM = "missing_claim"
    NOT_OWNER = "not_owner"
    POLICY = "policy"
    HIDDEN = "hidden"
    # whoever asks
    NETWORK = "network"
    PLAIN_HTTP = "plain_http"
    MALFORMED_FORWARDING = "malformed_forwarding"
    RATE_LIMITED = "rate_limited"
    # our own side
    ISSUER_UNAVAILABLE = "issuer_unavailable"
    STORE_UNAVAILABLE = "store_unavailable"
    POLICY_ERROR = "policy_error"
    # the protected application, once the caller is authorized
    METHOD_NOT_ALLOWED = "method_not_allowed"
    OVERSIZED_CONTENT = "oversized_content"
    INVALID_CONTENT = "invalid_content"


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error of the program
    """A request is refused.

    Carries no HTTP. ``reason`` is for the operator alone: it may quote claims of a *verified* token and never
    holds a token, a proof or a key. The library error that led here, if any, is chained as ``__cause__``.
    """

    def __init__(self, kind: Kind, reason: str = "", *, retry_after: int | None = None) -> None:
        super().__init__(kind, reason)
        self.kind = kind
        self.reason = reason
        self.retry_after = retry_after
        """Seconds after which another try makes sense; the row's own figure stands where this is None."""

    @property
    def is_temporary(self) -> bool:
        """Whether nobody could decide, or would: the same request may be granted in a while."""
        return TABLE[self.kind].retry_after is not None

    def __str__(self) -> str:
        return f"{self.kind}: {self.reason}" if self.reason else self.kind.value


@dataclass(frozen=True, slots=True)
class Row:
    """What the client sees. ``error`` and ``description`` are members of the body and of the challenge."""

    id: str
    status: int
    error: str | None = None
    description: str | None = None
    challenged: bool = False
    """Whether other credentials could change the answer, so that WWW-Authenticate belongs to it."""
    title: str | None = None
    """The body's title where there is no error code to give."""
    detail: str | None = None
    retry_after: int | None = None
    """Seconds."""


def _missing(row: str) -> Row:
    """No error code, in header and body alike (RFC 6750 §3.1, last paragraph)."""
    detail = "This resource needs an access token: Authorization: Bearer <token>."
    return Row(row, 401, challenged=True, title="Unauthorized", detail=detail)


def _malformed(row: str, description: str) -> Row:
    return Row(row, 400, "invalid_request", description, challenged=True)


def _invalid(row: str, description: str = "The access token is invalid") -> Row:
    """One text for every broken token, so that a forger learns nothing from trying."""
    return Row(row, 401, "invalid_token", description, challenged=True)


def _denied(row: str) -> Row:
    """Another token of the same user would be refused too: no challenge (RFC 9110 §11.6.1)."""
    return Row(row, 403, "access_denied", "You are not allowed to do this")


def _unavailable(row: str, retry_after: int) -> Row:
    text = "Authorization cannot be verified at the moment"
    return Row(row, 503, "temporarily_unavailable", text, retry_after=retry_after)


_INVALID_PROOF = "The DPoP proof is invalid"
_LACKS_SCOPE = "The access token lacks the required scope"
_STEP_UP = "More recent or stronger authentication is required"

TABLE: Final[dict[Kind, Row]] = {
    Kind.NO_CREDENTIALS: _missing("D01"),
    Kind.UNSUPPORTED_SCHEME: _missing("D02"),
    Kind.CREDENTIALS_IN_QUERY: _missing("D30"),
    Kind.MALFORMED_CREDENTIALS: _malformed("D03", "The Authorization header is malformed"),
    Kind.REPEATED_CREDENTIALS: _malformed("D04", "The access token was sent in more than one way"),
    Kind.OVERSIZED_CREDENTIALS: Row("D05", 431, "invalid_request", "The Authorization header field is too large"),
    Kind.MALFORMED_TOKEN: _invalid("D06"),
    Kind.INVALID_CLAIM: _invalid("D06"),
    Kind.WRONG_ALGORITHM: _invalid("D07"),
    Kind.BAD_SIGNATURE: _invalid("D07"),
    Kind.UNKNOWN_KEY: _invalid("D08"),
    Kind.WRONG_ISSUER: _invalid("D09"),
    Kind.WRONG_AUDIENCE: _invalid("D10"),
    Kind.EXPIRED: _invalid("D11", "The access token has expired"),
    Kind.NOT_YET_VALID: _invalid("D12"),
    Kind.REVOKED: _invalid("D13"),
    Kind.WRONG_TOKEN_TYPE: _invalid("D14"),
    Kind.UNCONFIRMED_TOKEN: _invalid("D15"),
    Kind.INVALID_PROOF: Row("D16", 401, "invalid_dpop_proof", _INVALID_PROOF, challenged=True),
    Kind.WRONG_PROOF_KEY: _invalid("D17", "Invalid DPoP key binding"),
    Kind.REPLAYED_PROOF: Row("D18", 401, "invalid_dpop_proof", _INVALID_PROOF, challenged=True),
    Kind.NONCE_REQUIRED: Row("D19", 401, "use_dpop_nonce", "A nonce is required in the DPoP proof", challenged=True),
    Kind.WRONG_CERTIFICATE: _invalid("D20"),
    Kind.INSUFFICIENT_SCOPE: Row("D21", 403, "insufficient_scope", _LACKS_SCOPE, challenged=True),
    Kind.INSUFFICIENT_AUTHORIZATION_DETAILS: Row("D21", 403, "insufficient_scope", _LACKS_SCOPE, challenged=True),
    Kind.MISSING_ROLE: _denied("D22"),
    Kind.MISSING_CLAIM: _denied("D22"),
    Kind.NOT_OWNER: _denied("D23"),
    Kind.NETWORK: _denied("D24"),
    Kind.POLICY: _denied("D24"),
    Kind.INSUFFICIENT_AUTHENTICATION: Row("D25", 401, "insufficient_user_authentication", _STEP_UP, challenged=True),
    Kind.INSUFFICIENT_AUTHENTICATION_AND_SCOPE: Row(
        "D25", 401, "insufficient_user_authentication", _STEP_UP, challenged=True
    ),
    Kind.ISSUER_UNAVAILABLE: _unavailable("D26", 30),
    Kind.HIDDEN: Row("D27", 404, title="Not Found"),
    Kind.RATE_LIMITED: Row("D28", 429, "rate_limited", "Too many requests", retry_after=60),
    Kind.STORE_UNAVAILABLE: _unavailable("D29", 5),
    Kind.PLAIN_HTTP: Row("D31", 403, title="Forbidden"),
    Kind.METHOD_NOT_ALLOWED: Row("D32", 405, title="Method Not Allowed"),
    Kind.INVALID_CONTENT: Row("D33", 422, title="Unprocessable Content"),
    Kind.OVERSIZED_CONTENT: Row("R30", 413, title="Content Too Large"),
    # Two that no client can cure: a proxy that garbles its own headers, and a requirement of the API's code
    # that answered neither True nor False.
    Kind.MALFORMED_FORWARDING: Row("R29", 400, title="Bad Request"),
    Kind.POLICY_ERROR: Row("R02", 500, title="Internal Server Error"),
}

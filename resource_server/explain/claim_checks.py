"""The checks of what a token claims, whether its own signature or its issuer's answer vouches for it."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from resource_server.check import Check
from resource_server.issuers.urls import difference
from resource_server.refusals import Refusal
from resource_server.validation import claims
from resource_server.validation.claims import ClaimRules


def check_claims(payload: Mapping[str, Any], rules: ClaimRules, now: float) -> Iterator[Check]:
    """For whom, by whom, since when and until when."""
    yield _audience(payload, rules)
    yield passes(
        "claims",
        lambda: (claims.check_required(payload, rules), claims.check_granted(payload, rules)),
        "ask the issuer for RFC 9068 access tokens, or use the preset of your provider",
    )
    yield from _lifetime(payload, rules, now)
    yield Check(
        "confirmation",
        passed="cnf" not in payload,
        found="bound to its sender" if "cnf" in payload else "a bearer token",
        cure="nothing here confirms a sender yet: ask the issuer for bearer tokens" if "cnf" in payload else "",
    )


def passes(name: str, check: Callable[[], object], cure: str, *, found: str = "", expected: str = "") -> Check:
    """A check that fails where one of the path's own does, for the same reason."""
    try:
        check()
    except Refusal as refusal:
        return Check(name, passed=False, found=found or refusal.reason, expected=expected, cure=cure)
    return Check(name, passed=True, found=found, expected="")


def _audience(payload: Mapping[str, Any], rules: ClaimRules) -> Check:
    said = payload.get(rules.audience_claim)
    names = said if isinstance(said, list) else [said]
    wanted = sorted(rules.audience)
    near = [difference(str(name), one) for name in names for one in wanted]
    cure = next(filter(None, near), "")
    return passes(
        "audience",
        lambda: claims.check_audience(payload, rules),
        f"{cure}; set RESOURCE_SERVER_AUDIENCE to the token's" if cure else "ask the issuer for a token for this API",
        found=", ".join(map(str, names)) if said is not None else f"(no {rules.audience_claim})",
        expected=", ".join(wanted),
    )


def _lifetime(payload: Mapping[str, Any], rules: ClaimRules, now: float) -> Iterator[Check]:
    yield passes(
        "begun",
        lambda: claims.check_begun(payload, rules, now),
        "compare the clocks of the issuer and of this machine",
        found=f"issued {_ago(payload.get('iat'), now)}",
        expected=f"{rules.leeway:.0f} s are forgiven",
    )
    expires: Any = payload.get("exp")
    is_time = isinstance(expires, int | float) and not isinstance(expires, bool)
    expired = not is_time or claims.is_expired(expires, rules.leeway, now)
    word = "expired" if expired else "expires"
    cure = "get a new token; if it is new, compare the clocks" if expired else ""
    forgiven = f"{rules.leeway:.0f} s are forgiven" if expired else ""
    yield Check("expiry", passed=not expired, found=f"{word} {_ago(expires, now)}", expected=forgiven, cure=cure)


def _ago(value: Any, now: float) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "(no time)"
    seconds = timedelta(seconds=min(abs(round(value - now)), 10**9))
    return f"in {seconds}" if value > now else f"{seconds} ago"

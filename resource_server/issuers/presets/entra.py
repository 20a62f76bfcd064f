"""Microsoft Entra ID, with tokens of version 1.0 and 2.0.

Read: "Access token claims reference", "ID token claims reference", "Optional claims reference", "Access tokens in the
Microsoft identity platform".
"""

import re
from typing import Any

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.issuer import TENANT, Issuer
from resource_server.issuers.presets.preset import Audience, check_audiences, check_pattern, fits, make

_GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TENANT = rf"(?P<tenant>{_GUID}|{re.escape(TENANT)})"
_HOST = r"(?:login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|[^./]+\.ciamlogin\.com)"
_V1 = rf"https://sts\.windows\.net/{_TENANT}/"
_V2 = rf"(?P<authority>https://{_HOST})/{_TENANT}/v2\.0"
_LOGIN = "https://login.microsoftonline.com"


def entra(url: str, *, audience: Audience, **options: Any) -> Issuer:
    """Trust a tenant of Entra ID, or several: ``{tenantid}`` in the URL and ``tenants=[…]``.

    The URL tells the version of the tokens: that of version 2.0 ends with ``/v2.0``.
    """
    if not all(fits(_GUID, tenant) for tenant in options.get("tenants", ())):
        raise ConfigurationError("tenants", "must be the tenants' ids, in lower case: a token's tid is never a domain")
    if fits(_V1, url):
        return _version_1(url, audience, options)
    matched = check_pattern(
        _V2,
        url,
        "must be https://login.microsoftonline.com/<tenant id>/v2.0, or for tokens of version 1.0 "
        "https://sts.windows.net/<tenant id>/ with the slash",
    )
    check_audiences(
        audience,
        _GUID,
        "must be the API's application (client) id, in lower case: tokens of version 2.0 never name api://…",
    )
    if matched["tenant"] == TENANT:
        # Of all tenants: its issuer, and that of most of its keys, hold {tenantid} ("Access tokens …").
        options = _with_metadata(f"{matched['authority']}/common/v2.0", options)
    return make(
        url,
        audience,
        options,
        # azpacr is in access tokens alone; with scp it is a user's, with idtyp an application's ("… claims reference").
        markers=({"azpacr": "*", "scp": "*"}, {"azpacr": "*", "idtyp": "app"}),
        client_id_claim="azp",
        **_BOTH,
    )


def _version_1(url: str, audience: Audience, options: dict[str, Any]) -> Issuer:
    # Not below the issuer's own name ("Access tokens …", v1.0 and v2.0 tokens).
    tenant = "common" if TENANT in url else url.rstrip("/").rpartition("/")[2]
    return make(
        url,
        audience,
        _with_metadata(f"{_LOGIN}/{tenant}", options),
        markers=({"appidacr": "*", "scp": "*"}, {"appidacr": "*", "idtyp": "app"}),
        client_id_claim="appid",
        **_BOTH,
    )


def _with_metadata(authority: str, options: dict[str, Any]) -> dict[str, Any]:
    if options.get("jwks_uri") or options.get("jwks_file"):
        return options
    return {"metadata_url": f"{authority}/.well-known/openid-configuration"} | options


_BOTH: dict[str, Any] = {
    "accept_typ": ("JWT",),  # "always JWT"
    "foreign_markers": {"nonce": "*", "at_hash": "*", "c_hash": "*"},  # of the ID token's reference alone
    "required_claims": ("uti",),  # "equivalent to jti"
    "scope_claim": "scp",  # one text with spaces, "only included for user tokens"
}

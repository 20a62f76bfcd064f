"""An OAuth 2.0 resource server for FastAPI (RFC 6750, RFC 9068): exact refusals, strict tokens, nothing revealed."""

from resource_server.access_token import AccessToken
from resource_server.authorization import (
    Requirement,
    acr,
    all_of,
    all_scopes,
    any_of,
    any_role,
    any_scope,
    claim,
    entitlement,
    group,
    network,
    owner,
    role,
)
from resource_server.configuration_error import ConfigurationError
from resource_server.events import Decision
from resource_server.fastapi import ApiDocs, Refused, ResourceServer
from resource_server.issuers.grants import Grants
from resource_server.issuers.issuer import Issuer
from resource_server.observers.audit import Audit
from resource_server.observers.refusal_log import RefusalLog
from resource_server.rate_limit import RateLimit
from resource_server.refusals import Kind, Refusal

__all__ = [
    "AccessToken",
    "ApiDocs",
    "Audit",
    "ConfigurationError",
    "Decision",
    "Grants",
    "Issuer",
    "Kind",
    "RateLimit",
    "Refusal",
    "RefusalLog",
    "Refused",
    "Requirement",
    "ResourceServer",
    "acr",
    "all_of",
    "all_scopes",
    "any_of",
    "any_role",
    "any_scope",
    "claim",
    "entitlement",
    "group",
    "network",
    "owner",
    "role",
]

"""Station 4: what an operation requires of an access token, as small values that compose.

A requirement answers None where it is met, else the refusal that says what is missing. Kinds of refusal keep apart
what more scope would cure (403 with a challenge) from what no token of the same user would (403 without one).
"""

from resource_server.authorization.combination import all_of, any_of
from resource_server.authorization.network import network
from resource_server.authorization.policy import any_role, claim, entitlement, group, owner, role
from resource_server.authorization.requirement import Circumstances, Requirement
from resource_server.authorization.scopes import acr, all_scopes, any_scope

__all__ = [
    "Circumstances",
    "Requirement",
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

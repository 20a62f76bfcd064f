"""Why a token is, or is not, accepted: one list of checks, rendered as text, JSON or a page."""

from resource_server.explain.explanation import Explanation, explain

__all__ = ["Explanation", "explain"]

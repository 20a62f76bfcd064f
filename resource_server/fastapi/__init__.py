"""The only place that knows FastAPI."""

from resource_server.fastapi.refused import Refused
from resource_server.fastapi.resource_server import ResourceServer

__all__ = ["Refused", "ResourceServer"]

"""The only place that knows FastAPI."""

from resource_server.fastapi.api_docs import ApiDocs
from resource_server.fastapi.refused import Refused
from resource_server.fastapi.resource_server import ResourceServer

__all__ = ["ApiDocs", "Refused", "ResourceServer"]

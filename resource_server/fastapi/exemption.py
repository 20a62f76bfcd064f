"""A request to a path that needs no token, as long as it is one: middleware may lead it elsewhere."""

from collections.abc import Mapping
from typing import Any

from resource_server.public import PublicPaths, path_below


class Exemption:
    """Of a request that a gate has let pass for its path, where every other path needs a token."""

    def __init__(self, scope: Mapping[str, Any], public: PublicPaths) -> None:
        self._public = public
        self._app = scope.get("app")
        self._root = scope.get("root_path", "")

    def holds(self, scope: Mapping[str, Any]) -> bool:
        """Whether the path is still public where a request has come to by now."""
        if scope.get("app") is self._app:  # in a mounted one the root path is another by rights
            self._root = scope.get("root_path", "")
        return self._public.contains(path_below(self._root, scope["path"]))

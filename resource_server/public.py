"""The paths that need no token where everything else does."""

from collections.abc import Iterable, Iterator

from resource_server.configuration_error import ConfigurationError, listed


class PublicPaths:
    """Exact paths, and prefixes written as ``/static/*``. Compared to the letter, after one percent-decoding."""

    def __init__(self, paths: Iterable[str] = ()) -> None:
        paths = listed("public", paths)
        if wrong := [path for path in paths if not path.startswith("/")]:
            raise ConfigurationError("public", f"must hold paths that begin with a slash, unlike {wrong[0]!r}")
        if "/*" in paths:
            raise ConfigurationError(
                "public",
                "must not hold '/*', which is every path: name those that need no token, "
                "or '/' for what a mount or a frontend serves at the root",
            )
        self._exact = frozenset(path for path in paths if not path.endswith("/*"))
        self._prefixes = tuple(path[:-1] for path in paths if path.endswith("/*"))

    def __iter__(self) -> Iterator[str]:
        yield from self._exact
        yield from (f"{prefix}*" for prefix in self._prefixes)

    def contains(self, path: str) -> bool:
        """Whether a request's path is public. A path that climbs, as ``/static/../orders``, never is by its prefix."""
        if path in self._exact:
            return True
        return path.startswith(self._prefixes) and not {".", ".."} & set(path.split("/")) if self._prefixes else False


def path_below(root: str, path: str) -> str:
    """A path as routing sees it: below the root path that an application is mounted or served at."""
    return path[len(root) :] if root and (path == root or path.startswith(root + "/")) else path

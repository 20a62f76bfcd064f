"""A key set in a file, for an issuer whose keys no network has to bring."""

import json
from pathlib import Path

from resource_server.issuers.fetch import Fetched, FetchError


def read_file(path: Path) -> Fetched:
    """A key set in a file. Raises :class:`FetchError`; that it is no JWK Set is found out by :mod:`.jwk_set`."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise FetchError(f"{path}: {type(error).__name__}") from error
    return Fetched(document if isinstance(document, dict) else {})

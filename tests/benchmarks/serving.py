"""``python -m tests.benchmarks.serving APP FILE``: one application under ``serve``'s own settings, for another process.

FILE is a key set. The first line on stdout is the port.
"""

import json
import sys
from pathlib import Path

from resource_server import Issuer
from resource_server.fastapi import ResourceServer
from resource_server.serving import serve
from tests.benchmarks.apps import APPS, Trust

ISSUER, AUDIENCE = "https://id.example.com", "https://api.example.com"


def main(name: str, file: Path) -> None:
    """Serve until terminated."""

    def server() -> ResourceServer:
        return ResourceServer(Issuer(url=ISSUER, audience=AUDIENCE, jwks_file=file))

    # A line of log costs as much as a token; written for protected and for open routes alike, it would flatter us.
    serve.LOGGING["loggers"]["resource_server"]["level"] = "WARNING"
    trust = Trust(server, json.loads(file.read_text("utf-8")), ISSUER, AUDIENCE)
    bound = serve.bind("127.0.0.1", 0)
    serve.run(
        [serve.Site(APPS[name](trust), bound)],
        ready=lambda: print(bound.getsockname()[1], flush=True),
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

"""Calls the bundled API through the generated client, in the generator's environment; run by ``test_client.py``.

Reads calls as JSON from standard input, and prints what the client made of each answer.
"""

import importlib
import json
import sys
from typing import Any


def main() -> None:
    """An answer that the document doesn't know ends this with the client's own exception."""
    given = json.load(sys.stdin)
    print(json.dumps([call(given["url"], one) for one in given["calls"]]))


def call(url: str, one: dict[str, Any]) -> dict[str, Any]:
    client = importlib.import_module("bundled_client.client")
    options = {"base_url": url, "raise_on_unexpected_status": True}
    token = one.get("token")
    caller = client.Client(**options) if token is None else client.AuthenticatedClient(token=token, **options)
    function = importlib.import_module(f"bundled_client.api.{one['function']}").sync_detailed
    arguments = dict(one.get("arguments", {}))
    if "model" in one:
        model = getattr(importlib.import_module("bundled_client.models"), one["model"])
        arguments["body"] = model.from_dict(arguments["body"])
    response = function(client=caller, **arguments)
    parsed = response.parsed
    members = parsed if isinstance(parsed, list) else [parsed]
    return {
        "status": int(response.status_code),
        "types": [type(member).__name__ for member in members],
        "values": [member.to_dict() for member in members],
        "challenge": response.headers.get("www-authenticate"),
        "retry_after": response.headers.get("retry-after"),
    }


if __name__ == "__main__":
    main()

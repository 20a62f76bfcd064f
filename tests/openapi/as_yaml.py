"""The exported OpenAPI document as YAML: ``python -m tests.openapi.as_yaml < openapi.json > openapi.yaml``."""

import json
import sys
from typing import Any

import yaml

WIDTH = 120


class Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such."""


def _text(dumper: Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


Dumper.add_representer(str, _text)


def as_yaml(document: Any) -> str:
    """Keeps the order; every text that YAML would read as something else is quoted."""
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)


if __name__ == "__main__":
    sys.stdout.write(as_yaml(json.load(sys.stdin)))

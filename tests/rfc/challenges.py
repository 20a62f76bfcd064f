"""A second reader of WWW-Authenticate, so that a mistake of ours can't read itself as right.

It takes what a sender may write (RFC 9110 §11.3, §5.6.4, in ASCII), not what a recipient has to put up with.
"""

import re
from dataclasses import dataclass

import httpx2

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_SCHEME = re.compile(rf"({_TOKEN}) +")
_PARAMETER = re.compile(rf'({_TOKEN})=(?:({_TOKEN})|"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*)")')
_COMMA = re.compile(r" *, *")


@dataclass(frozen=True)
class Challenge:
    """A scheme and its parameters, as often as they were written."""

    scheme: str
    parameters: tuple[tuple[str, str], ...]
    text: str

    def __getitem__(self, name: str) -> str:
        return dict(self.parameters)[name]

    def get(self, name: str) -> str | None:
        """A parameter's value, if it was written."""
        return dict(self.parameters).get(name)

    @property
    def names(self) -> list[str]:
        """The parameters' names, as often as they were written."""
        return [name.lower() for name, _ in self.parameters]


def lines(response: httpx2.Response) -> list[str]:
    """The WWW-Authenticate field lines as they came."""
    return [value.decode("latin-1") for name, value in response.headers.raw if name.lower() == b"www-authenticate"]


def challenges(response: httpx2.Response) -> list[Challenge]:
    """All challenges of a response. Fails where a line breaks the grammar, alone or after all lines were joined."""
    each = [challenge for line in lines(response) for challenge in read(line)]
    assert each == read(", ".join(lines(response)))
    return each


def read(text: str) -> list[Challenge]:
    """Read a comma-separated list of challenges."""
    found: list[Challenge] = []
    at = 0
    while at < len(text):
        begin = at
        scheme = _SCHEME.match(text, at)
        assert scheme, f"no scheme and space at {at} of {text!r}"
        parameters: list[tuple[str, str]] = []
        at = scheme.end()
        while parameter := _PARAMETER.match(text, at):
            name, token, quoted = parameter.groups()
            parameters.append((name, token if quoted is None else re.sub(r"\\(.)", r"\1", quoted)))
            end = at = parameter.end()
            if comma := _COMMA.match(text, at):
                at = comma.end()
            else:
                assert at == len(text), f"no comma at {at} of {text!r}"
        assert parameters, f"no parameter at {at} of {text!r}"
        found.append(Challenge(scheme[1], tuple(parameters), text[begin:end]))
        assert at < len(text) or end == len(text), f"{text!r} ends with a comma"
    return found

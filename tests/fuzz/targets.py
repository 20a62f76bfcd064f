"""All that is fuzzed, by name."""

from types import MappingProxyType
from typing import Final

from tests.fuzz import answers, connection, explanation, oracle, parsers, tokens
from tests.fuzz.target import Target

TARGETS: Final = MappingProxyType(
    {
        "base64url": Target(parsers.check_base64url, max_length=64),
        "compact": Target(parsers.check_compact, tokens.mutate, max_length=4096),
        "header": Target(parsers.check_header, words=(b'"alg"', b'"kid"', b'"typ"', b'"crit"', b'"b64"', b'"enc"')),
        "json": Target(
            parsers.check_json,
            words=(b"1e999", b"NaN", b"\\ud800", b"[[[[", b'{"a":', b'\\"', b"\\\\", b"99999999999999999999"),
        ),
        "credentials": Target(
            parsers.check_credentials, words=(b"Bearer ", b"DPoP ", b"access_token=", b"access%5ftoken")
        ),
        "challenges": Target(
            parsers.check_challenges, words=(b'Bearer realm="', b'error="', b"Negotiate a==", b"\\\\")
        ),
        "forwarding": Target(
            parsers.check_forwarding, words=(b"ffor=", b"proto=https", b'"[::1]:80"', b"phttps", b"%eth0")
        ),
        "jwk_set": Target(
            parsers.check_jwk_set, words=(b'"kty":"RSA"', b'"key_ops":', b'"use":"sig"', b'"crv":"P-256"')
        ),
        "claims": Target(
            parsers.check_claims, words=(b'"cnf":', b'"nbf":', b'"roles":', b'"realm":{', b"1e308", b"null")
        ),
        "accept": Target(
            parsers.check_accept, words=(b"application/problem+json", b"application/json", b";q=0.", b"q=1.")
        ),
        "oracle": Target(oracle.check_verdicts, tokens.mutate, max_length=4096),
        "explanation": Target(explanation.check_explanation, tokens.mutate, max_length=4096),
        "answer": Target(answers.check_answer, answers.mutate, words=answers.WORDS),
        "signed_answer": Target(answers.check_signed_answer, answers.mutate_signed, max_length=8192),
        "connection": Target(connection.check_connection, words=connection.WORDS, max_length=8192),
    }
)

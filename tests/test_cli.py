"""The command line: a start that fails ends with 2 and one sentence; what runs is tested over real sockets."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from resource_server import cli
from tests.configuring import GOOD, Configuration

EXAMPLE = "give it as https://id.example.com"
CHOOSE = "choose from RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, Ed25519, EdDSA"
MISSING_AUDIENCE = "is missing: name this API's identifier, as it stands in the aud claim of its tokens"
LOOPBACK = f"must be https (plain http is for a loopback issuer alone): {EXAMPLE}"
PLAIN = f"must be a plain URL without user, query and fragment: {EXAMPLE}"
UNACCEPTED = (
    "is none of the audiences, so the tokens that clients ask for by it would be refused: "
    "add 'https://b.example' to audience, to the letter"
)
RESOURCE = "must be this API's https URL without a fragment: give it as https://api.example.com"
PROXIES = "must be addresses or networks such as 10.0.0.0/8: "
REALM = "must be printable ASCII and not empty: give it as api"
LEEWAY = "must be from 0 to 60 seconds"
DEV = "the development server is for this machine alone; unset it, or use resource-server serve"

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Configuration:
    return Configuration(monkeypatch, tmp_path)


@pytest.fixture
def taken() -> Iterator[str]:
    """A port that somebody else has, so that a start whose fault goes unnoticed still ends."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield str(other.getsockname()[1])


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command that must not begin to serve: its exit code and what it says on standard error."""

    def run_command(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["resource-server", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert said.out == ""
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.err

    return run_command


@pytest.mark.parametrize(
    ("values", "name", "problem"),
    [
        pytest.param({"ISSUER": ""}, "ISSUER", f"is missing: {EXAMPLE}", id="no issuer"),
        pytest.param({"AUDIENCE": ""}, "AUDIENCE", MISSING_AUDIENCE, id="no audience"),
        pytest.param({"AUDIENCE": "[]"}, "AUDIENCE", MISSING_AUDIENCE, id="an empty list of audiences"),
        pytest.param({"AUDIENCE": '[""]'}, "AUDIENCE", MISSING_AUDIENCE, id="an empty audience"),
        pytest.param({"ISSUER": "http://id.example.com"}, "ISSUER", LOOPBACK, id="a plain http issuer"),
        pytest.param({"ISSUER": "http://127.0.0.1.example.com"}, "ISSUER", LOOPBACK, id="a name like loopback"),
        pytest.param({"ISSUER": "ftp://id.example.com"}, "ISSUER", LOOPBACK, id="another scheme"),
        pytest.param({"ISSUER": "id.example.com"}, "ISSUER", PLAIN, id="no scheme"),
        pytest.param({"ISSUER": "https://u:p@id.example.com"}, "ISSUER", PLAIN, id="a user in the issuer"),
        pytest.param({"ISSUER": "https://id.example.com?a"}, "ISSUER", PLAIN, id="a query in the issuer"),
        pytest.param({"ISSUER": "https://[::1"}, "ISSUER", f"is not a URL: {EXAMPLE}", id="no URL"),
        pytest.param({"ISSUER": "https://id:99999"}, "ISSUER", f"is not a URL: {EXAMPLE}", id="no port"),
        pytest.param(
            {"ALGORITHMS": "[]"}, "ALGORITHMS", f"must be a list of at least one of {CHOOSE[12:]}", id="no algorithms"
        ),
        pytest.param(
            {"ALGORITHMS": ","}, "ALGORITHMS", f"must be a list of at least one of {CHOOSE[12:]}", id="a comma alone"
        ),
        pytest.param(
            {"ALGORITHMS": "ES256,HS256"},
            "ALGORITHMS",
            f"must not name 'HS256' (a shared secret: every API that checks tokens could mint them): {CHOOSE}",
            id="HS256",
        ),
        pytest.param(
            {"ALGORITHMS": "none"}, "ALGORITHMS", f"must not name 'none' (no signature at all): {CHOOSE}", id="none"
        ),
        pytest.param(
            {"ALGORITHMS": "NoNe"}, "ALGORITHMS", f"must not name 'NoNe' (no signature at all): {CHOOSE}", id="NoNe"
        ),
        pytest.param(
            {"ALGORITHMS": "es256"},
            "ALGORITHMS",
            f"must not name 'es256' (not one of those a resource server may accept): {CHOOSE}",
            id="lower case",
        ),
        pytest.param({"LEEWAY": "60.1"}, "LEEWAY", LEEWAY, id="leeway above its bound"),
        pytest.param({"LEEWAY": "-1"}, "LEEWAY", LEEWAY, id="negative leeway"),
        pytest.param({"LEEWAY": "nan"}, "LEEWAY", LEEWAY, id="leeway that is no number"),
        pytest.param({"JWKS_URI": "http://127.0.0.1/jwks"}, "JWKS_URI", LOOPBACK, id="loopback keys, remote issuer"),
        pytest.param({"RESOURCE": "http://api.example.com"}, "RESOURCE", RESOURCE, id="a plain http resource"),
        pytest.param({"RESOURCE": "https://api.example.com/#x"}, "RESOURCE", RESOURCE, id="a fragment"),
        pytest.param({"RESOURCE": 'https://api.example.com/"x'}, "RESOURCE", RESOURCE, id="a quote in the resource"),
        pytest.param({"RESOURCE": "https://[::1"}, "RESOURCE", RESOURCE, id="a resource that is no URL"),
        pytest.param({"RESOURCE": "https://api:99999"}, "RESOURCE", RESOURCE, id="a resource with no port"),
        pytest.param({"RESOURCE": "https://b.example"}, "RESOURCE", UNACCEPTED, id="a resource that is no audience"),
        pytest.param(
            {"TRUSTED_PROXIES": "10.0.0.1/8"},
            "TRUSTED_PROXIES",
            PROXIES + "10.0.0.1/8 has host bits set",
            id="host bits",
        ),
        pytest.param(
            {"TRUSTED_PROXIES": "proxy\nhost"},
            "TRUSTED_PROXIES",
            PROXIES + r"'proxy\nhost' does not appear to be an IPv4 or IPv6 network",
            id="a name for a proxy",
        ),
        pytest.param(
            {"FORWARDING": "both"},
            "FORWARDING",
            "must be x-forwarded or forwarded, whichever your proxies write",
            id="both families",
        ),
        pytest.param({"REALM": "a\r\nb"}, "REALM", REALM, id="line ends in the realm"),
        pytest.param({"REALM": "é"}, "REALM", REALM, id="a realm that is not ASCII"),
        pytest.param(
            {"ROLES_CLAIM": "[]"}, "ROLES_CLAIM", "must be a claim's name or a path of names", id="an empty path"
        ),
    ],
)
def test_a_wrong_setting_ends_the_start_with_one_sentence(
    configuration: Configuration, run: Run, taken: str, values: dict[str, str], name: str, problem: str
) -> None:
    """DESIGN §5: the sentence names the variable and the cure; T23, T37."""
    configuration.set(**GOOD | values)
    assert run("serve", "--port", taken) == (2, f"RESOURCE_SERVER_{name} {problem}\n")


@pytest.mark.parametrize(
    "origin", ["*", "null", "https://a.example/", "https://[::1", "a.example", "https://*.example"]
)
def test_an_inexact_origin_ends_the_start_with_one_sentence(
    configuration: Configuration, run: Run, taken: str, origin: str
) -> None:
    """T27: exact origins, never a wildcard, never null."""
    configuration.set(**GOOD, CORS_ORIGINS=origin)
    told = f"RESOURCE_SERVER_CORS_ORIGINS must hold exact origins such as https://app.example.com, unlike {origin!r}\n"
    assert run("serve", "--port", taken) == (2, told)


def test_two_sources_of_keys_end_the_start(configuration: Configuration, run: Run, taken: str) -> None:
    """DESIGN §3: contradictory options fail at construction."""
    configuration.set(**GOOD, JWKS_URI="https://id.example.com/jwks", JWKS_FILE=configuration.write("{}"))
    assert run("serve", "--port", taken) == (2, "RESOURCE_SERVER_JWKS_FILE contradicts jwks_uri: set one of them\n")


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:9000", "HTTP://127.0.0.1:9000", "http://localhost:9000"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "api.example.com"])
def test_a_server_that_others_can_reach_does_not_trust_an_issuer_on_loopback(
    configuration: Configuration, run: Run, issuer: str, host: str
) -> None:
    """T23: whoever can bind a port here would mint tokens for everybody."""
    configuration.set(**GOOD | {"ISSUER": issuer})
    told = (
        f"RESOURCE_SERVER_ISSUER is on loopback while the server listens on {host}: use an https issuer, "
        "or set RESOURCE_SERVER_ALLOW_LOOPBACK_ISSUER=true if you mean it\n"
    )
    assert run("serve", "--port", "0", "--host", host) == (2, told)


def test_a_port_in_use_ends_the_start(configuration: Configuration, run: Run, taken: str) -> None:
    """DESIGN §5."""
    configuration.set(**GOOD)
    told = f"--port {taken} on 127.0.0.1 can't be had (Address already in use): choose another one\n"
    assert run("serve", "--port", taken) == (2, told)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        pytest.param({"TRUSTED_PROXIES": "10.0.0.0/8"}, f"RESOURCE_SERVER_TRUSTED_PROXIES is set: {DEV}", id="proxies"),
        pytest.param({"RESOURCE": "https://a.example"}, f"RESOURCE_SERVER_RESOURCE is set: {DEV}", id="resource"),
        pytest.param({"RESOURCE": "HTTPS://a.example"}, f"RESOURCE_SERVER_RESOURCE is set: {DEV}", id="upper case"),
        pytest.param(
            {"ISSUER": "https://id.example.com"},
            f"RESOURCE_SERVER_ISSUER is set, but dev brings its own issuer: {DEV}",
            id="issuer",
        ),
    ],
)
def test_dev_does_not_start_where_others_are_meant_to_reach_it(
    configuration: Configuration, run: Run, taken: str, values: dict[str, str], told: str
) -> None:
    """T34."""
    configuration.set(**values)
    assert run("dev", "--port", taken) == (2, told + "\n")


@pytest.mark.parametrize("arguments", [("serve", "--port", "65536"), ("serve", "--port", "x"), ("dance",)])
def test_a_wrong_argument_is_a_usage_error(run: Run, arguments: tuple[str, ...]) -> None:
    """DESIGN §6: exit 2 is usage."""
    code, told = run(*arguments)
    assert code == 2
    assert told.startswith("Usage: ")


def test_openapi_prints_the_bundled_apis_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """DESIGN §3: the exported contract needs no configuration."""
    monkeypatch.setattr(sys, "argv", ["resource-server", "openapi"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    document = json.loads(capsys.readouterr().out)
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) >= {"/healthz", "/readyz", "/api/v1/me", "/orders", "/admin/dashboard"}


def test_the_module_is_the_command() -> None:
    """DESIGN §6: also `python -m resource_server`; a start that fails prints no traceback."""
    command = [sys.executable, "-m", "resource_server", "serve"]
    done = subprocess.run(command, env={"PATH": ""}, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"RESOURCE_SERVER_ISSUER is missing: {EXAMPLE}\n")

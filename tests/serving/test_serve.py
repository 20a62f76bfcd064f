"""Taking an address, before anything is served on it; the rest of `serve` is tested over real sockets."""

import socket

import pytest

from resource_server.configuration_error import ConfigurationError
from resource_server.serving.serve import bind


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_port_0_takes_a_free_port(host: str) -> None:
    with bind(host, 0) as bound:
        assert bound.getsockname()[1] > 0


def test_a_port_in_use_is_told_with_the_cure() -> None:
    """DESIGN §5: a start that fails says in one sentence how to mend it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError) as refused:
            bind("127.0.0.1", port)
    told = str(refused.value)
    assert told == f"--port {port} on 127.0.0.1 can't be had (Address already in use): choose another one"


@pytest.mark.parametrize(
    "host", [pytest.param("192.0.2.1", id="not ours"), pytest.param("name.invalid", id="a name that does not exist")]
)
def test_an_address_that_is_not_ours_is_told(host: str) -> None:
    """RFC 5737, RFC 6761: an address and a name that no machine has."""
    with pytest.raises(ConfigurationError, match=rf"^--port 0 on {host} can't be had \(.+\): choose another one$"):
        bind(host, 0)

"""A requirement on the caller's address, whoever it is (403 without a challenge)."""

from dataclasses import dataclass
from typing import ClassVar

from resource_server.access_token import AccessToken
from resource_server.authorization.requirement import Circumstances, Requirement, named
from resource_server.forwarding import Client, Network
from resource_server.forwarding import network as parse_network
from resource_server.refusals import Kind, Refusal


@dataclass(frozen=True, slots=True)
class FromNetwork(Requirement):
    """The client's address is in one of some networks; needs no identity, so it is judged before the token."""

    networks: tuple[Network, ...]
    stage: ClassVar[int] = 4

    def admits(self, client: Client) -> bool:
        """An unknown address is in no network."""
        return client.address is not None and any(client.address in network for network in self.networks)

    def __str__(self) -> str:
        return "from " + " or ".join(map(str, self.networks))

    async def judge(self, token: AccessToken, circumstances: Circumstances) -> Refusal | None:
        if self.admits(circumstances.client):
            return None
        return Refusal(Kind.NETWORK, "the client's address is in none of the networks")


def network(*networks: str) -> Requirement:
    """A client address in one of these addresses or CIDR networks, seen through trusted proxies only."""
    return FromNetwork(tuple(parse_network(text) for text in named(networks, "network")))

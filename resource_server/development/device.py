"""The device authorization grant (RFC 8628), for a client on a machine without a browser: Authlib's, made strict."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from authlib.oauth2.rfc6749 import InvalidGrantError, UnauthorizedClientError
from authlib.oauth2.rfc8628 import (
    DEVICE_CODE_GRANT_TYPE,
    DeviceAuthorizationEndpoint,
    DeviceCodeGrant,
    DeviceCredentialMixin,
)

from resource_server.development.clients import METHODS, Client
from resource_server.development.parameters import Request
from resource_server.development.short_memory import ShortMemory
from resource_server.development.tokens import Login

if TYPE_CHECKING:
    from resource_server.development.provider import Provider

DEVICE_GRANT: Final = DEVICE_CODE_GRANT_TYPE
DEVICE_AUTHORIZATION: Final = DeviceAuthorizationEndpoint.ENDPOINT_NAME

DEVICE_LIFETIME: Final = 600
"""Seconds that a person has to type the user code."""

POLLING_INTERVAL: Final = 5
"""Seconds between two requests of a device, and what each one that comes too early adds to them (RFC 8628 §3.5)."""

MAX_DEVICES: Final = 1_000

USER_CODE_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Of which Authlib makes user codes: no vowels, so no words."""


@dataclass(eq=False, slots=True)
class Device(DeviceCredentialMixin):
    """A client that waits for its user."""

    client: Client
    scope: str
    device_code: str = field(repr=False)
    user_code: str = field(repr=False)
    """Eight of twenty letters: nobody guesses one of them in ten minutes (RFC 8628 §5.1)."""
    ends: float
    now: Callable[[], float] = field(repr=False)
    interval: int = POLLING_INTERVAL
    not_before: float = 0.0
    """When the next request may come."""
    decision: tuple[Login | None, bool] | None = None
    """The login, and whether the user allows it, once he has decided."""

    def decide(self, login: Login | None) -> None:
        """Note what the user grants, or that he refuses."""
        self.scope = login.scope if login else ""
        self.decision = (login, login is not None)

    def get_client_id(self) -> str:
        """RFC 8628 §3.4: the device code is bound to its client."""
        return self.client.client_id

    def get_scope(self) -> str:
        """What the client asked for; after the user's decision, what he grants."""
        return self.scope

    def get_user_code(self) -> str:
        """As it was shown."""
        return self.user_code

    def is_expired(self) -> bool:
        """RFC 8628 §3.2."""
        return self.now() >= self.ends


class Devices:
    """The clients that wait, by the codes of both kinds. They are known for what they were a while after their end."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._by_device_code, self._by_user_code = (
            ShortMemory[Device](lifetime=2 * DEVICE_LIFETIME, bound=MAX_DEVICES, now=now) for _ in range(2)
        )

    def add(self, client: Client, scope: str, device_code: str, user_code: str) -> None:
        """Begin to wait."""
        device = Device(client, scope, device_code, user_code, self._now() + DEVICE_LIFETIME, self._now)
        self._by_device_code.put(device_code, device)
        self._by_user_code.put(_plain(user_code), device)

    def find(self, device_code: str) -> Device | None:
        """Give the client that asks again."""
        return self._by_device_code.get(device_code)

    def waiting(self, user_code: str) -> Device | None:
        """Give the client that shows this code, if nobody has decided yet."""
        device = self._by_user_code.get(_plain(user_code))
        return device if device and not device.decision and not device.is_expired() else None

    def remove(self, device: Device) -> None:
        """End the waiting: a device code is good once."""
        self._by_device_code.take(device.device_code)


class DeviceAuthorization(DeviceAuthorizationEndpoint):
    """RFC 8628 §3.1: a device asks for its codes."""

    CLIENT_AUTH_METHODS: Collection[str] = METHODS
    EXPIRES_IN = DEVICE_LIFETIME
    INTERVAL = POLLING_INTERVAL

    server: "Provider"

    def authenticate_client(self, request: Request) -> Client:
        """Refuse clients that do not have the grant, too."""
        client = cast("Client", super().authenticate_client(request))  # type: ignore[no-untyped-call]
        if not client.check_grant_type(DEVICE_GRANT):
            raise UnauthorizedClientError
        request.payload.refuse_other_resources(self.server.audience)
        return client

    def get_verification_uri(self) -> str:
        """Where the user types the code."""
        return f"{self.server.mint.issuer}/device"

    def save_device_credential(self, client_id: str, scope: str | None, data: dict[str, Any]) -> None:
        """Remember what was asked for."""
        client = self.server.clients[client_id]
        self.server.devices.add(client, client.get_allowed_scope(scope or ""), data["device_code"], data["user_code"])


class DeviceGrant(DeviceCodeGrant):
    """RFC 8628 §3.4: a device asks whether its user has decided. A device code that was answered is spent."""

    TOKEN_ENDPOINT_AUTH_METHODS: Collection[str] = METHODS

    server: "Provider"

    _client: Client
    _device: Device

    def authenticate_token_endpoint_client(self) -> Client:
        """Keep the client, for what it may ask about."""
        self._client = cast("Client", super().authenticate_token_endpoint_client())
        return self._client

    def query_device_credential(self, device_code: str) -> Device:
        """Give the device that waits; ``invalid_grant`` if there is none of this client (RFC 6749 §5.2)."""
        device = self.server.devices.find(device_code)
        if device is None or device.client is not self._client:
            raise InvalidGrantError
        self._device = device
        return device

    def query_user_grant(self, user_code: str) -> tuple[Login | None, bool] | None:
        """Give the decision, once."""
        if self._device.decision:
            self.server.devices.remove(self._device)
        return self._device.decision

    def should_slow_down(self, credential: Device) -> bool:
        """RFC 8628 §3.5: five seconds more for each request that comes too early, and for all after it."""
        early = credential.now() < credential.not_before
        credential.interval += POLLING_INTERVAL if early else 0
        credential.not_before = credential.now() + credential.interval
        return early


def _plain(user_code: str) -> str:
    """Forgive another case, and any punctuation (RFC 8628 §6.1)."""
    return "".join(letter for letter in user_code.upper() if letter in USER_CODE_LETTERS)

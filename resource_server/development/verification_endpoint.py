"""Where a user types the code that a device shows, and allows what it asks for (RFC 8628 §3.3)."""

from starlette.requests import Request as HTTPRequest
from starlette.responses import Response

from resource_server.development.device import Device
from resource_server.development.forms import Forms, sent_form
from resource_server.development.pages import (
    OUT_OF_DATE,
    UNKNOWN_CODE,
    WRONG,
    code_page,
    decided_page,
    device_login_page,
)
from resource_server.development.provider import Provider


class VerificationEndpoint:
    """Shows the code again, so that the user can compare it: the link may be somebody else's (RFC 8628 §3.3.1)."""

    def __init__(self, provider: Provider, forms: Forms) -> None:
        self._provider = provider
        self._forms = forms

    async def answer(self, http: HTTPRequest) -> Response:
        """Ask for the code, then for the password, and take the form with both."""
        sent = await sent_form(http) if http.method == "POST" else None
        if isinstance(sent, Response):
            return sent
        user_code = http.query_params.get("user_code", "") if sent is None else sent.get("user_code", "")
        device = self._provider.devices.waiting(user_code)
        if device is None:
            return code_page(UNKNOWN_CODE if user_code else "")
        return self._login_page(device) if sent is None else self._decide(device, sent)

    def _decide(self, device: Device, form: dict[str, str]) -> Response:
        if not self._forms.accept(form, device.device_code.encode()):
            return self._login_page(device, OUT_OF_DATE)
        if form.get("decision") == "deny":
            device.decide(None)
            return decided_page(allowed=False)
        user = self._provider.accounts.log_in(form.get("username", ""), form.get("password", ""))
        if user is None:
            return self._login_page(device, WRONG)
        device.decide(self._provider.log_in(device.client, user, device.scope))
        return decided_page(allowed=True)

    def _login_page(self, device: Device, message: str = "") -> Response:
        return device_login_page(
            hidden={"transaction": self._forms.show(device.device_code.encode()), "user_code": device.user_code},
            client_id=device.client.client_id,
            user_code=device.user_code,
            scopes=device.scope.split(),
            message=message,
        )

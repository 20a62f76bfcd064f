"""The page at ``/playground`` and what it asks: mint, sign, explain. For ``resource-server dev`` alone (T34, T36).

Tokens come and go in the bodies of requests, are kept nowhere and written down nowhere. What a token would get is found
out by asking a copy of the API in process: it judges by the keys that the API has, fetches none, remembers nothing, and
tells no observer, so no trial looks like a refusal of somebody's.
"""

import base64
import json
from collections.abc import Sequence
from typing import Any, Final, Protocol
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from resource_server.asgi import Receive, Scope, Send
from resource_server.demo.api import create_api
from resource_server.explain import Explanation, explain
from resource_server.fastapi import ResourceServer
from resource_server.page import asset, page
from resource_server.playground.posts import NotTaken, answer, harmless, read, text
from resource_server.playground.routes import Route, routes_of
from resource_server.playground.trial import Trial, attempt
from resource_server.protector import ANY_TOKEN
from resource_server.validation import strict_json

PATH: Final = "/playground"
_ASSETS: Final = ("page.css", "dom.js", "playground.js", "cures.json")


class Minting(Protocol):
    """What makes tokens; the development server's."""

    @property
    def holders(self) -> Sequence[Any]:
        """Who can have one: each with its name, clients, scopes and roles."""
        ...

    @property
    def scopes(self) -> Sequence[str]:
        """All there are."""
        ...

    def token(self, holder: str, client: str, scopes: Sequence[str]) -> str:
        """A good one. Raises :class:`ValueError` for a holder that is none."""
        ...

    def sign(self, header: bytes, claims: bytes, *, forged: bool) -> str:
        """One of these bytes."""
        ...


class Playground:
    """ASGI: the playground of the bundled API that ``server`` protects.

    ``twin`` is configured alike, and protects nothing else: the copy that is asked is made of it.
    """

    def __init__(self, server: ResourceServer, twin: ResourceServer, minting: Minting) -> None:
        twin.protector = server.protector.judging_by(server.formats.asking_nobody())
        self._server = server
        self._operations = twin.operations
        self._copy = create_api(twin)
        self._minting = minting
        self._routes = routes_of(self._copy)
        self._posts = {f"{PATH}/mint": self._mint, f"{PATH}/sign": self._sign, f"{PATH}/explain": self._explain}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request below :data:`PATH`."""
        await (await self._respond(Request(scope, receive)))(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        path = request.scope["path"]
        name = path.removeprefix(f"{PATH}/")
        post = self._posts.get(path)
        if request.method == "GET" and path == PATH:
            return page("playground", choices=json.dumps(self._choices()))
        if request.method == "GET" and name in _ASSETS:
            return asset(name)
        if request.method != "POST" or post is None:
            return answer({"problem": "there is nothing here"}, 404)
        try:
            return answer(await post(await read(request)))
        except NotTaken as refused:
            return answer({"problem": str(refused)}, refused.status)

    def _choices(self) -> dict[str, Any]:
        holders = [
            {"name": one.name, "clients": one.clients, "scopes": one.scopes, "roles": one.roles}
            for one in self._minting.holders
        ]
        return {
            "holders": holders,
            "scopes": self._minting.scopes,
            "routes": [route.as_json() for route in self._routes.values()],
        }

    async def _mint(self, sent: dict[str, Any]) -> dict[str, Any]:
        scopes = sent.get("scopes")
        if not isinstance(scopes, list):
            raise NotTaken(400, "scopes must be an array")
        try:
            return {"token": self._minting.token(text(sent, "account"), text(sent, "client"), scopes)}
        except ValueError as error:
            raise NotTaken(400, str(error)) from None

    async def _sign(self, sent: dict[str, Any]) -> dict[str, Any]:
        header, claims = (_compact(text(sent, name)) for name in ("header", "claims"))
        return {"token": self._minting.sign(header, claims, forged=sent.get("forged") is True)}

    async def _explain(self, sent: dict[str, Any]) -> dict[str, Any]:
        token, route = text(sent, "token").strip(), self._routes.get(text(sent, "route"))
        parameters = sent.get("parameters")
        if route is None or not isinstance(parameters, dict):
            raise NotTaken(400, "there is no such route")
        path = route.path({name: str(value) for name, value in parameters.items()})
        content = text(sent, "content").encode("utf-8", "replace") if route.content else b""
        credentials = [(b"authorization", b"Bearer " + token.encode("utf-8", "replace"))] if token else []
        trial = await attempt(self._copy, route.method, path, credentials, content)
        explanation = await self._explanation(token, route, unquote(path)) if token else None
        header, claims = _shown(token)
        return {"header": header, "claims": claims, "path": path, **harmless(_told(explanation, trial))}

    async def _explanation(self, token: str, route: Route, path: str) -> Explanation:
        scope = {"type": "http", "method": route.method, "path": path, "root_path": "", "headers": []}
        operation = self._operations.find(scope | {"app": self._copy})
        matched = compile_path(route.template)[0].match(path)
        return await explain(
            token,
            self._server,
            route=route.name,
            requirement=operation.requirement if operation is not None else ANY_TOKEN,
            path_params=matched.groupdict() if matched else {},
            ask_issuers=False,
        )


def _told(explanation: Explanation | None, trial: Trial) -> dict[str, Any]:
    known = {"checks": [], "kind": "no_credentials"} if explanation is None else explanation.as_json()
    return {"checks": known["checks"], "kind": known["kind"], "response": trial.as_json()}


def _compact(text: str) -> bytes:
    """JSON without the spaces of the page's layout; what is no proper JSON stands as it is, so that it can be tried."""
    try:
        members = strict_json.parse_object(text.encode("utf-8", "surrogatepass"))
    except (ValueError, UnicodeError):
        return text.encode("utf-8", "replace")
    return json.dumps(members, separators=(",", ":")).encode()


def _shown(token: str) -> tuple[str, str]:
    """Header and claims as JSON in ASCII: what can't be seen is escaped, and is the same when it is signed again."""
    parts = token.split(".")
    return (_laid_out(parts[0]), _laid_out(parts[1])) if len(parts) == 3 else ("", "")


def _laid_out(part: str) -> str:
    try:
        return json.dumps(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))), indent=2)
    except (ValueError, RecursionError):
        return ""

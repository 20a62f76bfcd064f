"""The applications that are measured: one route each, which answers the same few bytes, protected in various ways."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import jwt as pyjwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from starlette.requests import HTTPConnection

from resource_server import AccessToken
from resource_server.fastapi import ResourceServer

PATH: Final = "/orders"
SCOPE: Final = "orders:read"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose tokens an application accepts."""

    server: Callable[[], ResourceServer]
    jwks: Mapping[str, Any]
    issuer: str
    audience: str


def bare(trust: Trust) -> FastAPI:
    """Nothing protects it."""
    app = FastAPI()

    @app.get(PATH)
    async def orders() -> dict[str, str]:
        return {"owner": "alice"}

    return app


def empty(trust: Trust) -> FastAPI:
    """One async dependency that takes the connection and does nothing: what FastAPI itself asks for any protection."""
    app = FastAPI()
    nobody = {"subject": "alice"}

    async def nothing(connection: HTTPConnection) -> dict[str, str]:
        return nobody

    @app.get(PATH)
    async def orders(who: Annotated[Any, Depends(nothing)]) -> dict[str, str]:
        return {"owner": who["subject"]}

    return app


def required(trust: Trust) -> FastAPI:
    """``requires()`` on the route, and the gate."""
    app = FastAPI()
    api = trust.server()
    api.install(app)

    @app.get(PATH)
    async def orders(token: Annotated[AccessToken, api.requires(SCOPE)]) -> dict[str, str]:
        return {"owner": token.subject}

    return app


def everything(trust: Trust) -> FastAPI:
    """The whole application needs a token: decided before routing."""
    app = bare(trust)
    trust.server().install(app, protect="all")
    return app


def tutorial(trust: Trust) -> FastAPI:
    """The pattern of FastAPI's tutorial: its key is a text, and PyJWT decodes in each request."""
    public = pyjwt.PyJWK(dict(trust.jwks["keys"][0])).key
    return _tutorial(trust, public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def prepared(trust: Trust) -> FastAPI:
    """The same by one who has noticed that PyJWT reads the text anew for each token."""
    return _tutorial(trust, pyjwt.PyJWK(dict(trust.jwks["keys"][0])).key)


def _tutorial(trust: Trust, key: Any) -> FastAPI:
    app = FastAPI()
    scheme = OAuth2PasswordBearer(tokenUrl="token")

    async def current_user(token: Annotated[str, Depends(scheme)]) -> dict[str, Any]:
        try:
            payload = pyjwt.decode(token, key, algorithms=["RS256"], audience=trust.audience, issuer=trust.issuer)
        except pyjwt.InvalidTokenError:
            headers = {"WWW-Authenticate": "Bearer"}
            raise HTTPException(401, detail="Could not validate credentials", headers=headers) from None
        return payload

    async def current_reader(user: Annotated[dict[str, Any], Depends(current_user)]) -> dict[str, Any]:
        if SCOPE not in user.get("scope", "").split():
            raise HTTPException(403)
        return user

    @app.get(PATH)
    async def orders(user: Annotated[dict[str, Any], Depends(current_reader)]) -> dict[str, str]:
        return {"owner": user["sub"]}

    return app


APPS: Final[Mapping[str, Callable[[Trust], FastAPI]]] = {
    app.__name__: app for app in (bare, empty, required, everything, tutorial, prepared)
}

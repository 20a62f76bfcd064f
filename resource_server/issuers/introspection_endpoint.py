"""Asking an issuer about a token (RFC 7662 §2): one POST, strictly bounded, over connections that are kept."""

import asyncio
import logging
import ssl
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Final, Protocol

from resource_server.clock import Clock
from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.breaker import Breaker
from resource_server.issuers.introspection import Introspection
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.opened import Opened
from resource_server.issuers.urls import connectable
from resource_server.refusals import Kind, Refusal

if TYPE_CHECKING:
    import httpx2

TIMEOUT: Final = 5.0
"""Seconds for the whole exchange; as long may one wait for a connection before."""
MAX_ANSWER: Final = 256 * 1024
"""Bytes. A longer one is given up, and is no failure that could trip the breaker: a token's holder may be its cause."""
MAX_CONNECTIONS: Final = 64
MAX_RETRY_AFTER: Final = 60
"""Seconds that a server's own Retry-After may keep our callers waiting."""
SEE: Final = "see CLIENT_ID, its secret and CLIENT_AUTH_METHOD"
PLAIN: Final = "application/json"
SIGNED: Final = "application/token-introspection+jwt"

_log = logging.getLogger("resource_server.issuers")


@dataclass(frozen=True, slots=True)
class Answered:
    """What an endpoint has answered. Its repr shows nothing of it."""

    status: int
    content_type: str
    body: bytes = field(repr=False)
    retry_after: int | None = None


class Crowded(Exception):  # noqa: N818 - a state of ours
    """All connections are busy: nobody was asked, so nobody has failed (T24)."""


class Post(Protocol):
    """Sends a form; raises :class:`OSError` where nobody answers, or :class:`Crowded`.

    Tests and special networks bring their own.
    """

    async def __call__(self, url: str, form: dict[str, str], headers: dict[str, str]) -> Answered:
        """Send it by POST."""
        ...

    async def aclose(self) -> None:
        """Give the connections back."""
        ...


class HttpPost:
    """Posts forms. Follows no redirect, which would take the token elsewhere; reads nothing from the environment."""

    def __init__(self, issuer: Issuer, introspection: Introspection, *, within: float = TIMEOUT) -> None:
        self._within = within
        self._proxy = issuer.proxy
        self._tls = _tls(issuer, introspection)
        self._kept: tuple[asyncio.AbstractEventLoop, httpx2.AsyncClient, asyncio.Semaphore] | None = None

    async def __call__(self, url: str, form: dict[str, str], headers: dict[str, str]) -> Answered:
        """Send a form. Raises :class:`OSError`, naming the kind of failure alone, and :class:`Crowded`."""
        client, free = self._client()
        try:
            async with asyncio.timeout(self._within):
                await free.acquire()
        except TimeoutError:
            raise Crowded from None
        try:
            return await self._send(client, url, form, headers)
        finally:
            free.release()

    async def _send(
        self, client: "httpx2.AsyncClient", url: str, form: dict[str, str], headers: dict[str, str]
    ) -> Answered:
        import httpx2  # deferred: an API of JWTs needs no client

        target, host = connectable(url)
        headers = headers | {"accept-encoding": "identity", "host": host}
        opened, body, done = Opened(), bytearray(), False
        try:
            async with (
                asyncio.timeout(self._within),
                client.stream("POST", target, data=form, headers=headers, extensions=opened.extensions) as response,
            ):
                async for chunk in response.aiter_raw():
                    body += chunk
                    if len(body) > MAX_ANSWER:
                        break
            done = True
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, TimeoutError) as error:
            raise OSError(type(error).__name__) from None  # the error may hold the request, and that the token
        finally:
            if not done:  # or else the next question finds it open
                await opened.aclose()
        wait = response.headers.get("retry-after", "")
        return Answered(
            response.status_code,
            response.headers.get("content-type", "").partition(";")[0].strip().lower(),
            bytes(body),
            int(wait[:6]) if wait.isascii() and wait.isdigit() else None,
        )

    def _client(self) -> "tuple[httpx2.AsyncClient, asyncio.Semaphore]":
        """The client of the running event loop, and its free connections: they can't outlive theirs."""
        import httpx2

        loop = asyncio.get_running_loop()
        if self._kept is None or self._kept[0] is not loop:
            client = httpx2.AsyncClient(
                follow_redirects=False,
                trust_env=False,
                timeout=None,
                verify=self._tls or True,
                proxy=self._proxy,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # nothing ties questions together
                limits=httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS),
            )
            self._kept = loop, client, asyncio.Semaphore(MAX_CONNECTIONS)
        return self._kept[1:]

    async def aclose(self) -> None:
        """Give the connections back."""
        kept, self._kept = self._kept, None
        if kept is not None and kept[0] is asyncio.get_running_loop():
            await kept[1].aclose()


class IntrospectionEndpoint:
    """One issuer's endpoint. Whatever is wrong with it or with our credential is 503, never the client's fault."""

    def __init__(self, issuer: Issuer, introspection: Introspection, *, clock: Clock, post: Post | None = None) -> None:
        self.issuer = issuer
        self.introspection = introspection
        self._clock = clock
        self._post = post or HttpPost(issuer, introspection)
        self._breaker = Breaker(clock)
        self.problem: str | None = None
        """Why the last question got no answer, for the operator."""

    async def ask(self, token: str) -> Answered | None:
        """The endpoint's answer of status 200; None where it can't tell anything of such a token.

        Raises :class:`Refusal` (ISSUER_UNAVAILABLE).
        """
        if not self._breaker.try_now():
            raise self._refusal(f"is not asked for a while: {self.problem}", self._breaker.wait)
        form = {"token": token, "token_type_hint": "access_token"}
        headers = {"accept": SIGNED if self.introspection.signed else PLAIN}
        self.introspection.client.complete(form, headers, self.issuer.url, self._clock.wall())
        try:
            answered = await self._post(self.introspection.endpoint, form, headers)
        except Crowded:
            raise self._refusal("all connections to it are busy", 1) from None
        except OSError as error:
            raise self._failed(str(error) or type(error).__name__) from None
        if answered.status in (401, 403):
            raise self._failed(f"refuses our credential with status {answered.status}: {SEE}")
        if answered.status >= 500:
            raise self._failed(f"answers with status {answered.status}")
        self._breaker.succeeded()
        if len(answered.body) > MAX_ANSWER:
            raise self._unavailable(f"answers with more than {MAX_ANSWER} bytes", 1)
        if answered.status == 200:
            return answered
        if answered.status == 400 and b"unsupported_token_type" in answered.body:
            return None  # RFC 7009's code: it does not know such tokens, of this one alone (T24)
        wait = min(answered.retry_after or 1, MAX_RETRY_AFTER)
        # Some refuse a credential with 400 (RFC 6749 §5.2), but strangers' tokens may cause one, too.
        cure = f", if for every token: {SEE}" if answered.status == 400 else ""
        raise self._unavailable(f"answers with status {answered.status}{cure}", wait)

    def accept_answer(self) -> None:
        """The answer is one: whatever was wrong is over, and will be told again should it come back."""
        self.problem = None

    def refuse_answer(self, problem: str) -> Refusal:
        """For an answer that is none: nonsense must not be taken for a judgement, nor fill the log."""
        return self._unavailable(problem, 1)

    async def aclose(self) -> None:
        """Give the connections back."""
        await self._post.aclose()

    def _failed(self, problem: str) -> Refusal:
        if self._breaker.failed():
            _log.error("introspection at %s is not asked for a while: %s", self.introspection.endpoint, problem)
        return self._unavailable(problem, max(1, self._breaker.wait))

    def _unavailable(self, problem: str, wait: int) -> Refusal:
        if problem != self.problem:
            _log.error("introspection at %s: %s", self.introspection.endpoint, problem)
        self.problem = problem
        return self._refusal(problem, wait)

    def _refusal(self, problem: str, wait: int) -> Refusal:
        return Refusal(Kind.ISSUER_UNAVAILABLE, f"introspection at {self.issuer.url}: {problem}", retry_after=wait)


def _tls(issuer: Issuer, introspection: Introspection) -> ssl.SSLContext | None:
    certificate = introspection.client.certificate
    if issuer.ca_file is None and certificate is None:
        return None
    try:
        context = ssl.create_default_context(cafile=str(issuer.ca_file) if issuer.ca_file else None)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            "ca_file", f"can't be used ({type(error).__name__}): give certificates in PEM"
        ) from None
    if certificate is not None:
        try:
            file, key = certificate
            context.load_cert_chain(str(file), str(key), password="")  # or else a terminal is asked for it
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                "client_certificate_file",
                f"can't be used with its key ({type(error).__name__}): give both in PEM, the key without a passphrase",
            ) from None
    return context

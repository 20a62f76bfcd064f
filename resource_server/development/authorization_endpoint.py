"""The authorization endpoint (RFC 6749 §3.1): a login page for a good request, and what the page sends back."""

from authlib.oauth2.rfc6749 import OAuth2Error
from starlette.requests import Request as HTTPRequest
from starlette.responses import Response

from resource_server.development.forms import Forms, sent_form
from resource_server.development.pages import OUT_OF_DATE, WRONG, error_page, login_page
from resource_server.development.parameters import Parameters, Request
from resource_server.development.provider import Provider


class AuthorizationEndpoint:
    """Asks the user, each time anew: nobody stays logged in here."""

    def __init__(self, provider: Provider, forms: Forms) -> None:
        self._provider = provider
        self._forms = forms

    async def answer(self, http: HTTPRequest) -> Response:
        """Show the login page for a good authorization request (RFC 6749 §4.1.1), and take the page's form."""
        if http.method != "POST":
            return self._authorization(http, None)
        form = await sent_form(http)
        return form if isinstance(form, Response) else self._authorization(http, form)

    def _authorization(self, http: HTTPRequest, form: dict[str, str] | None) -> Response:
        query: bytes = http.scope["query_string"]
        try:
            request = Request("GET", f"{self._provider.mint.issuer}/authorize", http.headers, Parameters(query))
        except OAuth2Error as error:
            return error_page("This link can't be used", str(error.description), 400)
        try:
            grant = self._provider.authorization_request(request)
        except OAuth2Error as error:
            if error.redirect_uri:
                return self._provider.error_response(request, error)
            return error_page("This link can't be used", str(error.description), 400)

        if form is None:
            return self._login_page(query, request, grant.redirect_uri)
        if not self._forms.accept(form, query):
            return self._login_page(query, request, grant.redirect_uri, OUT_OF_DATE)
        if form.get("decision") == "deny":
            return self._provider.authorization_response(request, grant, None)
        user = self._provider.accounts.log_in(form.get("username", ""), form.get("password", ""))
        if user is None:
            return self._login_page(query, request, grant.redirect_uri, WRONG)
        return self._provider.authorization_response(request, grant, user)

    def _login_page(self, query: bytes, request: Request, redirect_uri: str, message: str = "") -> Response:
        return login_page(
            action=f"/authorize?{query.decode('ascii')}",
            hidden={"transaction": self._forms.show(query)},
            client_id=request.payload.client_id,
            redirect_uri=redirect_uri,
            scopes=request.scope.split(),
            message=message,
        )

"""Google, whose access tokens are for its own APIs."""

from typing import Any, NoReturn

from resource_server.configuration_error import ConfigurationError


def google(url: str, **options: Any) -> NoReturn:
    """Refuse: Google signs users in, but issues no access tokens for an API of yours.

    Its access tokens are opaque and for Google's APIs; its ID tokens are for the client that asked for them. Raises
    :class:`ConfigurationError`, always.
    """
    del url, options
    raise ConfigurationError(
        "preset",
        "can't be google: Google issues access tokens for its own APIs alone, so let an authorization server of yours "
        "sign users in with Google and issue tokens for this API",
    )
